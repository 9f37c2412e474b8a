import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

/** Sees which files are opened. */
export interface FileWatch {
  /** Forgets what was seen so far. */
  start(): void;
  /** The first file that was opened outside of the folders allowed. */
  outside(): string | undefined;
}

/**
 * Watches every way files are opened by, in modules imported before or after.
 * @param allowed folders, with links resolved
 */
export function watchFiles(allowed: readonly string[]): FileWatch {
  const { realpathSync } = fs;
  let outside: string | undefined;
  const see = (path: unknown): void => {
    if (typeof path !== 'string') return;
    let real = resolve(path);
    try {
      real = realpathSync(real);
    } catch {
      return; // there is no such file
    }
    if (!allowed.some((folder) => real === folder || real.startsWith(folder + sep))) outside ??= real;
  };
  for (const [object, names] of [
    [fs, ['open', 'openSync', 'readFile', 'readFileSync', 'createReadStream']],
    [fs.promises, ['open', 'readFile']],
  ] as const) {
    const functions = object as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of names) {
      const original = functions[name]!;
      functions[name] = (...args) => {
        see(args[0]);
        return original(...args);
      };
    }
  }
  syncBuiltinESMExports();
  return {
    start: () => {
      outside = undefined;
    },
    outside: () => outside,
  };
}
