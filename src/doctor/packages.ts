import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface Manifest {
  version: string;
  engines: { node: string };
  dependencies: Record<string, string>;
}

/** This package's own package.json. */
export const manifest = require('../../package.json') as Manifest;

/** The version of onnxruntime-node that is installed; null when none is. */
export function installedRuntime(): string | null {
  try {
    return (require('onnxruntime-node/package.json') as Manifest).version;
  } catch {
    return null;
  }
}
