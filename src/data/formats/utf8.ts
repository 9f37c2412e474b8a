import { isUtf8 } from 'node:buffer';
import { dataError } from './format.ts';

const newline = 0x0a;

/** More than any text: what has no line end may be gigabytes of anything, and strings end at half of one. */
export const MAX_LINE = 16 * 2 ** 20;

/**
 * Checks that a file is UTF-8 and regroups it into chunks that end at a line's end. A leading byte order
 * mark is dropped.
 *
 * A newline byte is never part of a longer UTF-8 sequence, so a chunk that ends there can be checked alone.
 * @throws SesdError SESD_BAD_DATA naming the first line that is not UTF-8, or longer than MAX_LINE
 */
export async function* utf8Lines(source: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  let line = 1;
  let first = true;
  let rest: Buffer[] = [];
  let held = 0;

  const checked = (chunk: Buffer): Buffer => {
    const bytes = first && startsWithBom(chunk) ? chunk.subarray(3) : chunk;
    if (first) rejectUtf16(bytes, file);
    first = false;
    if (!isUtf8(bytes)) throw notUtf8(bytes, line, file);
    line += count(bytes, newline);
    return bytes;
  };

  for await (const chunk of source) {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) {
      rest.push(chunk);
      held += chunk.length;
      if (held > MAX_LINE) throw tooLong(line, file);
      continue;
    }
    yield checked(Buffer.concat([...rest, chunk.subarray(0, end)]));
    rest = end < chunk.length ? [chunk.subarray(end)] : [];
    held = chunk.length - end;
  }
  if (rest.length > 0) yield checked(Buffer.concat(rest));
}

function tooLong(line: number, file: string): Error {
  return dataError(file, line, `a line of more than ${MAX_LINE / 2 ** 20} MB`, {
    hint: 'Each example is a line, of fewer characters than a book has.',
  });
}

function startsWithBom(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

function rejectUtf16(bytes: Buffer, file: string): void {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark !== 0xfeff && mark !== 0xfffe) return;
  throw dataError(file, undefined, 'expected UTF-8 text, found UTF-16', {
    hint: 'Convert it: iconv -f UTF-16 -t UTF-8.',
  });
}

function notUtf8(bytes: Buffer, firstLine: number, file: string): Error {
  let line = firstLine;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(newline, start);
    const stop = end < 0 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(start, stop))) break;
    start = stop + 1;
    line++;
  }
  return dataError(file, line, 'not valid UTF-8', {
    hint: 'Save the file as UTF-8. If it came from a spreadsheet it is often Windows-1252: iconv -f WINDOWS-1252 -t UTF-8.',
  });
}

function count(bytes: Buffer, byte: number): number {
  let n = 0;
  for (let i = bytes.indexOf(byte); i >= 0; i = bytes.indexOf(byte, i + 1)) n++;
  return n;
}
