import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { SesdError } from '../errors.ts';

/** A file written under a temporary name, that is put in place or dropped when all is done. */
export class PendingFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  /** Pieces that follow each other from #start on and are still to be written. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #start = 0;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(path: string): Promise<PendingFile> {
    const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
    return new PendingFile(path, temporary, await open(temporary, 'wx'));
  }

  /** Writes bytes at a position of the file; what lies between positions that are never written is zero. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (position !== this.#start + this.#gatheredBytes) {
      await this.#flush();
      this.#start = position;
    }
    // A copy, if they are kept: the caller may use its array again.
    this.#gathered.push(bytes.length < GATHER ? bytes.slice() : bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes >= GATHER) await this.#flush();
  }

  async #flush(): Promise<void> {
    for (const bytes of this.#gathered.length < 2 ? this.#gathered : [Buffer.concat(this.#gathered)]) {
      for (let done = 0; done < bytes.length; ) {
        const length = Math.min(WRITE, bytes.length - done);
        const { bytesWritten } = await this.#handle.write(bytes, done, length, this.#start + done);
        done += bytesWritten;
      }
    }
    this.#start += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  /** Writes everything to the disk; the file is still under its temporary name. */
  async close(): Promise<void> {
    await this.#flush();
    await this.#handle.sync();
    await this.#handle.close();
  }

  async commit(): Promise<void> {
    await rename(this.#temporary, this.path);
  }

  /** Removes the temporary file. To be called after any failure. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#temporary, { force: true }).catch(() => {});
  }
}

const GATHER = 2 ** 20;
const WRITE = 64 * 2 ** 20;

/** Writes a small file whole, or leaves what was there. Throws SESD_OUTPUT. */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  let file: PendingFile | undefined;
  try {
    file = await PendingFile.create(path);
    await file.write(typeof content === 'string' ? Buffer.from(content) : content, 0);
    await file.close();
    await file.commit();
  } catch (error) {
    await file?.discard();
    throw outputError(path, error);
  }
}

const reasons: Readonly<Record<string, { what: string; hint: string }>> = {
  ENOSPC: { what: 'the disk is full', hint: 'Free some space, or choose another folder with --output.' },
  EDQUOT: { what: 'the disk quota is used up', hint: 'Free some space, or choose another --output.' },
  EROFS: { what: 'the file system is read-only', hint: 'Choose another folder with --output.' },
  EACCES: { what: 'permission denied', hint: 'Choose a folder you may write to with --output.' },
  EPERM: { what: 'operation not permitted', hint: 'Choose a folder you may write to with --output.' },
  ENOENT: { what: 'there is no such folder', hint: 'Create the folder first.' },
  ENOTDIR: { what: 'part of the path is a file', hint: 'Choose another folder with --output.' },
  EEXIST: { what: 'a file of that name is in the way', hint: 'Remove it or choose another --output.' },
  EISDIR: { what: 'a folder of that name is in the way', hint: 'Remove it or choose another --output.' },
};

/** SESD_OUTPUT for a failed system call; other errors as they are. */
export function outputError(path: string, error: unknown): unknown {
  if (error instanceof SesdError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  const reason = reasons[code];
  return new SesdError('SESD_OUTPUT', `cannot write ${path}: ${reason?.what ?? (error as Error).message}`, {
    ...(reason && { hint: reason.hint }),
    cause: error,
  });
}
