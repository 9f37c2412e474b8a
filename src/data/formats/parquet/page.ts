import type { CompressionCodec, Encoding, PageHeader, ParquetType, SchemaElement } from 'hyparquet';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import type { Allowance } from './allowance.ts';
import { decompressPage } from './decompress.ts';
import { checkDeltas, checkRuns } from './runs.ts';

/** What a page may claim. */
interface Limits {
  codec: CompressionCodec;
  element: SchemaElement;
  /** Values that are missing in the row group. */
  mostValues: number;
  /** Whether the column's dictionary was read. */
  hasDictionary: boolean;
  allowance: Allowance;
}

/** A page whose bytes are not compressed, and a header that says so. */
interface PlainPage {
  bytes: Uint8Array;
  header: PageHeader;
}

/**
 * Unpacks a page and checks every claim by which decoding it would allocate memory or loop.
 * @throws Error saying what is damaged; SesdError when the allowance is spent
 */
export function checkedPage(packed: Uint8Array, header: PageHeader, limits: Limits): PlainPage {
  switch (header.type) {
    case 'DICTIONARY_PAGE':
      return dictionaryPage(packed, header, limits);
    case 'DATA_PAGE':
      return dataPage(packed, header, limits);
    case 'DATA_PAGE_V2':
      return dataPageV2(packed, header, limits);
    default:
      throw new Error(`a page of type ${header.type}`);
  }
}

function dictionaryPage(packed: Uint8Array, header: PageHeader, limits: Limits): PlainPage {
  const page = unpacked(packed, header, limits);
  const count = header.dictionary_page_header?.num_values ?? -1;
  // A boolean takes a bit, everything else more.
  if (!(count >= 0 && count <= 8 * page.bytes.length)) {
    throw new Error(`a dictionary of ${count} values in ${page.bytes.length} bytes`);
  }
  limits.allowance.spend(8 * count);
  return page;
}

function dataPage(packed: Uint8Array, header: PageHeader, limits: Limits): PlainPage {
  const { num_values: count = -1, encoding } = header.data_page_header ?? {};
  checkCount(count, limits);
  const page = unpacked(packed, header, limits);
  if (limits.element.repetition_type === 'REQUIRED') {
    checkValues(page.bytes, 0, count, encoding, limits);
    return page;
  }
  const { bytes } = page;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkRuns(bytes, LENGTH, LEVEL_BITS, count);
  const reader = { view, offset: 0 };
  const levels = new Array<number>(count);
  readRleBitPackedHybrid(reader, LEVEL_BITS, levels);
  const present = levels.reduce((sum, level) => sum + level, 0);
  checkValues(bytes, reader.offset, present, encoding, limits);
  return page;
}

/** Of the levels, and of some values: how many bytes they take. */
const LENGTH = 4;
/** Whether there is a value. */
const LEVEL_BITS = 1;

/** In this kind of page the levels are not compressed. */
function dataPageV2(packed: Uint8Array, header: PageHeader, limits: Limits): PlainPage {
  const v2 = header.data_page_header_v2;
  if (!v2) throw new Error('a data page without its header');
  const { num_values: count, num_nulls: nulls, definition_levels_byte_length: levels } = v2;
  checkCount(count, limits);
  const sound = levels >= 0 && levels <= packed.length && nulls >= 0 && nulls <= count;
  if (!sound || v2.repetition_levels_byte_length !== 0 || v2.num_rows !== count) {
    throw new Error(`a page of ${v2.num_rows} rows with ${count} values, of which ${nulls} are missing`);
  }
  const optional = limits.element.repetition_type !== 'REQUIRED';
  if (optional) checkRuns(packed.subarray(0, levels), 0, LEVEL_BITS, count);
  const length = header.uncompressed_page_size - levels;
  limits.allowance.spend(unsigned(length));
  const isCompressed = v2.is_compressed !== false;
  const body = decompressPage(packed.subarray(levels), isCompressed ? limits.codec : 'UNCOMPRESSED', length);
  checkValues(body, 0, count - nulls, v2.encoding, limits);
  const bytes = Buffer.concat([packed.subarray(0, levels), body]);
  const plain = { ...plainHeader(header, bytes), data_page_header_v2: { ...v2, is_compressed: false } };
  return { bytes, header: plain };
}

function checkCount(count: number, { mostValues }: Limits): void {
  if (count >= 0 && count <= mostValues) return;
  throw new Error(`a page of ${count} values, where ${mostValues} are missing in its row group`);
}

function unpacked(packed: Uint8Array, header: PageHeader, { codec, allowance }: Limits): PlainPage {
  const length = unsigned(header.uncompressed_page_size);
  allowance.spend(length);
  const bytes = decompressPage(packed, codec, length);
  return { bytes, header: plainHeader(header, bytes) };
}

function unsigned(length: number): number {
  if (length >= 0) return length;
  throw new Error(`a page of ${length} bytes`);
}

function plainHeader(header: PageHeader, { length }: Uint8Array): PageHeader {
  return { ...header, compressed_page_size: length, uncompressed_page_size: length };
}

function checkValues(
  bytes: Uint8Array,
  at: number,
  count: number,
  encoding: Encoding | undefined,
  { element, hasDictionary, allowance }: Limits,
): void {
  switch (encoding) {
    case 'PLAIN':
      break; // read to the page's end at most
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      if (!hasDictionary) throw new Error('a page refers to a dictionary that is not there');
      if (count > 0) checkRuns(bytes, at + 1, bytes[at] ?? 0, count);
      break;
    case 'RLE':
      checkRuns(bytes, at + LENGTH, 1, count);
      break;
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY':
      checkDeltas(bytes, at, count);
      break;
    case 'DELTA_BYTE_ARRAY':
      checkPrefixes(bytes, at, count, allowance);
      break;
    case 'BYTE_STREAM_SPLIT':
      checkSplit(bytes.length - at, count, element.type);
      break;
    default:
      throw new Error(`a page in the encoding ${encoding}`);
  }
}

/** Each value repeats a part of the one before: a small page may stand for much text. */
function checkPrefixes(bytes: Uint8Array, at: number, count: number, allowance: Allowance): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: at };
  let unfolded = 0;
  for (const _ of ['prefixes', 'suffixes']) {
    checkDeltas(bytes, reader.offset, count);
    const lengths = new Int32Array(count);
    deltaBinaryUnpack(reader, count, lengths);
    for (const length of lengths) unfolded += unsigned(length);
  }
  allowance.spend(unfolded);
}

const splitWidths: Partial<Record<ParquetType, number>> = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

function checkSplit(length: number, count: number, type: ParquetType | undefined): void {
  const width = type && splitWidths[type];
  if (width === undefined) throw new Error(`a page of ${type} in the encoding BYTE_STREAM_SPLIT`);
  if (count * width > length) throw new Error(`a page of ${count} values in ${length} bytes`);
}
