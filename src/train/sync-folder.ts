import { open } from 'node:fs/promises';

/** Flushes a folder's entries to the disk; without it a renamed file may be lost with the power. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
