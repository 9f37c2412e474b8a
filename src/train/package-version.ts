import { createRequire } from 'node:module';

/** This package's version, which runs and checkpoints are stamped with. */
export function packageVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}
