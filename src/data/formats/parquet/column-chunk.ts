import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { CompressionCodec, DecodedArray, RowGroup } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert } from 'hyparquet/src/convert.js';
import type { Allowance } from './allowance.ts';
import { decoderOf } from './decoder.ts';
import { loadCodec } from './decompress.ts';
import { type Column, readAt } from './footer.ts';
import { checkedPage } from './page.ts';
import { checkStruct } from './thrift.ts';

/** Bytes of a value's place in an array, and of what is then made of it. */
const VALUE = 64;

/**
 * The values of one column in one row group, null where there is none. hyparquet decodes each page after it was
 * unpacked and checked.
 * @param size of the file
 * @throws Error saying what is damaged; SesdError when the allowance is spent
 */
export async function readColumnChunk(
  handle: FileHandle,
  size: number,
  column: Column,
  group: RowGroup,
  allowance: Allowance,
): Promise<unknown[]> {
  const { start, length, codec } = placeOf(column, group, size);
  const rows = Number(group.num_rows);
  allowance.spend(VALUE * rows + length); // row groups may all name the same bytes
  const bytes = await readAt(handle, start, length);
  await loadCodec(codec);
  const decoder = decoderOf(column);
  const values: unknown[] = [];
  let dictionary: DecodedArray | undefined;
  for (let at = 0; values.length < rows; ) {
    if (at >= bytes.length) throw new Error(`${values.length} values for ${rows} rows`);
    const body = checkStruct(bytes, at);
    const header = parquetHeader({ view: new DataView(bytes.buffer, at), offset: 0 });
    const { compressed_page_size: packed } = header;
    if (!(packed >= 0 && packed <= bytes.length - body)) {
      throw new Error(`a page claims ${packed} bytes, ${bytes.length - body} are left`);
    }
    at = body + packed;
    const page = checkedPage(bytes.subarray(body, at), header, {
      codec,
      element: column.element,
      mostValues: rows - values.length,
      hasDictionary: dictionary !== undefined,
      allowance,
    });
    const { buffer, byteOffset, byteLength } = page.bytes;
    const reader = { view: new DataView(buffer, byteOffset, byteLength), offset: 0 };
    const { data = [] } = readPage(reader, page.header, decoder, dictionary, undefined, 0);
    if (header.type === 'DICTIONARY_PAGE') dictionary = convert(data, decoder);
    else appendValues(values, data);
    await setImmediate(); // a page takes milliseconds; the event loop runs between
  }
  return values;
}

function appendValues(values: unknown[], data: DecodedArray): void {
  for (let i = 0; i < data.length; i++) {
    if (data[i] === undefined) throw new Error('a value outside of its dictionary');
    values.push(data[i]);
  }
}

/** Where the chunk lies in the file. */
function placeOf(
  { name, leaf, element }: Column,
  group: RowGroup,
  size: number,
): { start: number; length: number; codec: CompressionCodec } {
  const chunk = group.columns[leaf!];
  const meta = chunk?.meta_data;
  if (!meta) throw new Error('a row group lacks it');
  if (chunk.file_path) throw new Error(`it lies in another file, "${chunk.file_path}"`);
  if (meta.path_in_schema.join('.') !== name || meta.type !== element.type) {
    throw new Error(`a row group has ${meta.path_in_schema.join('.')} (${meta.type}) in its place`);
  }
  const rows = Number(group.num_rows);
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const length = Number(meta.total_compressed_size);
  if (!(rows >= 0 && start >= 0 && length >= 0 && start + length <= size)) {
    throw new Error(`a row group claims ${rows} rows in ${length} bytes at ${start}; the file has ${size}`);
  }
  return { start, length, codec: meta.codec };
}
