import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { Example } from '../data/example.ts';
import { bytesOf } from '../data/file.ts';
import type { Source } from '../data/formats/format.ts';
import { utf8Lines } from '../data/formats/utf8.ts';
import { dataExtensions, readExamplesFrom } from '../data/read.ts';
import { SesdError } from '../errors.ts';

export interface TextSource {
  /** A file; standard input when absent or `-`. */
  path: string | undefined;
  /** `lines`: one text a line. `auto`: by the file's extension, else lines. */
  format: 'auto' | 'lines' | 'csv' | 'tsv' | 'jsonl' | 'parquet';
  text?: string | undefined;
  textPair?: string | undefined;
}

/**
 * Texts to classify, as they come in: lines in the groups a pipe delivers them, rows of a file all at once.
 *
 * @throws SesdError SESD_BAD_DATA naming file and line, SESD_ABORTED
 */
export async function* readTexts(source: TextSource, signal: AbortSignal): AsyncGenerator<Example[]> {
  const { input, extension } = await open(source, signal);
  try {
    if (extension === undefined) yield* lines(input);
    else {
      const { text, textPair } = source;
      const columns = { ...(text && { text }), ...(textPair && { textPair }), requireLabel: false };
      yield (await readExamplesFrom(input, extension, columns)).examples;
    }
  } catch (error) {
    if (signal.aborted) throw new SesdError('SESD_ABORTED', 'Interrupted.', { cause: error });
    throw error;
  } finally {
    if (input.path === undefined) process.stdin.destroy();
  }
}

async function open(
  { path, format }: TextSource,
  signal: AbortSignal,
): Promise<{ input: Source; extension: string | undefined }> {
  const asked = format === 'auto' || format === 'lines' ? undefined : `.${format}`;
  if (path === undefined || path === '-') {
    return {
      input: { file: 'standard input', bytes: addAbortSignal(signal, process.stdin) },
      extension: asked,
    };
  }
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'ENOENT' ? 'no such file' : cause.message;
    throw new SesdError('SESD_BAD_DATA', `--input ${path}: ${reason}`, { cause });
  });
  if (found.isDirectory()) throw new SesdError('SESD_BAD_DATA', `--input ${path}: a folder, expected a file`);
  const own = extname(path).toLowerCase();
  const known = format === 'auto' && dataExtensions.includes(own) ? own : undefined;
  return { input: { file: path, bytes: bytesOf(path, signal), path }, extension: asked ?? known };
}

async function* lines({ bytes, file }: Source): AsyncGenerator<Example[]> {
  let line = 0;
  for await (const chunk of utf8Lines(bytes, file)) {
    const texts = chunk
      .toString('utf8')
      .replace(/\r?\n$/, '')
      .split(/\r?\n/);
    yield texts.map((text) => ({ text, line: ++line }));
  }
}
