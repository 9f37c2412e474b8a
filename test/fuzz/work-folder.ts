import { mkdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, writeCase } from './case.ts';

/** A place for cases, with files beside it that nothing may read. */
export class WorkFolder {
  readonly root: string;
  readonly folder: string;

  private constructor(root: string) {
    this.root = root;
    this.folder = join(root, 'a', 'case');
  }

  static async make(): Promise<WorkFolder> {
    const work = new WorkFolder(await realpath(await mkdtemp(join(tmpdir(), 'sesd-fuzz-'))));
    for (const parent of [work.root, join(work.root, 'a')]) {
      await mkdir(join(parent, 'canary'), { recursive: true });
      await writeFile(join(parent, 'canary', 'secret.bin'), new Uint8Array(4096));
    }
    return work;
  }

  /** Writes a case, in place of the one before. */
  write(files: Case): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder);
    writeCase(this.folder, files);
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
