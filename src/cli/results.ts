import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { SesdError } from '../errors.ts';
import type { OutputStream } from './streams.ts';

/** Where results go: standard output, or a file that appears when it is complete. */
export interface Results {
  /** Nobody reads any more. */
  readonly isClosed: boolean;
  write(text: string): Promise<void>;
  /** Puts the file in its place. */
  finish(): Promise<void>;
  /** Takes away what was written, unless it is finished. */
  discard(): Promise<void>;
}

/** @throws SesdError SESD_OUTPUT when the file cannot be written */
export async function openResults(path: string | undefined, out: OutputStream): Promise<Results> {
  return path === undefined ? toStream(out) : toFile(path);
}

function toStream(out: OutputStream): Results {
  return {
    get isClosed() {
      return out.isClosed;
    },
    write: (text) => out.writeAll(text),
    async finish() {},
    async discard() {},
  };
}

async function toFile(path: string): Promise<Results> {
  const partial = `${path}.partial`;
  const writing = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      throw new SesdError('SESD_OUTPUT', `--output ${path} cannot be written: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  let file: FileHandle | undefined = await writing(() => open(partial, 'w'));
  return {
    isClosed: false,
    write: (text) => writing(() => file!.writeFile(text)),
    finish: () =>
      writing(async () => {
        await file!.close();
        file = undefined;
        await rename(partial, path);
      }),
    async discard() {
      if (file === undefined) return;
      await file.close();
      await rm(partial, { force: true });
    },
  };
}
