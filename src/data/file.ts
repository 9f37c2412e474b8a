import { createReadStream } from 'node:fs';
import { dataError } from './formats/format.ts';

/** A file's bytes. It is opened when it is first read, not before. */
export async function* bytesOf(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  yield* createReadStream(path, signal && { signal });
}

/**
 * A system error of reading a file, in the user's words; others as they are.
 * @param file the file's name, for messages
 */
export function readable(error: unknown, file: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return dataError(file, undefined, 'no such file', { cause: error });
    case 'EACCES':
    case 'EPERM':
      return dataError(file, undefined, 'no permission to read the file', { cause: error });
    default:
      return error;
  }
}
