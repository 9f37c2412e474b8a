import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it. Not `mkdir(…, { recursive: true })`: where the system lets nothing be
 * made (/proc), Node tries that for ever.
 *
 * @throws the system's error of the first folder that cannot be made
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  let folder = resolve(path);
  for (;;) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      // Above a drive that is not there, on Windows, is nothing that could be.
      if (error.code === 'ENOENT' && dirname(folder) !== folder) return undefined;
      throw error;
    });
    if (found) break;
    missing.push(folder);
    folder = dirname(folder);
  }
  for (const each of missing.reverse()) {
    await mkdir(each).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
