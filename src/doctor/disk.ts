import { access, constants, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { existingParent } from '../train/run-folder.ts';
import type { DiskFacts } from './report.ts';

/**
 * The folders this package writes to: runs go where it is called, unless --output says otherwise.
 * @param cache where an addon that is built on this machine is kept
 */
export async function diskFacts(cache: string): Promise<DiskFacts[]> {
  return [
    await folderFacts('runs', process.cwd()),
    await folderFacts('temporary', tmpdir()),
    await folderFacts('cache', cache),
  ];
}

async function folderFacts(use: DiskFacts['use'], path: string): Promise<DiskFacts> {
  // A folder that is not there yet is made in one that is.
  const folder = await existingParent(path);
  const space = await statfs(folder).catch(() => undefined);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { use, path, free: space ? space.bavail * space.bsize : null, writable };
}
