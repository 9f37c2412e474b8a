/** Parquet files by hand, to say in them what no writer would. */

/** A value of Thrift's compact protocol: a number is an i32, a bigint an i64, an array a list of one kind. */
export type Thrift = number | bigint | string | Uint8Array | boolean | Thrift[] | Struct;
export interface Struct {
  [field: number]: Thrift | undefined;
}

/** An unsigned number, seven bits a byte. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const zigzag = (value: number | bigint): bigint => (BigInt(value) << 1n) ^ (BigInt(value) >> 63n);

function kindOf(value: Thrift): number {
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string' || value instanceof Uint8Array) return 8;
  return Array.isArray(value) ? 9 : 12;
}

function encode(value: Thrift): number[] {
  if (typeof value === 'number' || typeof value === 'bigint') return varint(zigzag(value));
  if (typeof value === 'string') return encode(Buffer.from(value));
  if (value instanceof Uint8Array) return [...varint(value.length), ...value];
  if (Array.isArray(value)) {
    return [0xf0 | kindOf(value[0] ?? 0), ...varint(value.length), ...value.flatMap(encode)];
  }
  return struct(value as Struct);
}

/** A struct by the numbers of its fields. */
export function struct(fields: Struct): number[] {
  const bytes: number[] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (typeof value === 'boolean') bytes.push(value ? 1 : 2, ...encode(Number(field)));
    else {
      bytes.push(kindOf(value), ...encode(Number(field)));
      for (const byte of encode(value)) bytes.push(byte); // more than there may be arguments
    }
  }
  return [...bytes, 0];
}

/** Numbers of Parquet's enumerations. */
export const parquetType = { boolean: 0, int32: 1, int64: 2, float: 4, byteArray: 6 } as const;
export const encoding = {
  plain: 0,
  rle: 3,
  delta: 5,
  deltaLengths: 6,
  deltaStrings: 7,
  dictionary: 8,
  split: 9,
} as const;
export const codec = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const;
const utf8 = 0;

/** A page: its bytes, and the fields of its header that are not what they should be. */
export interface PageInit {
  bytes: readonly number[];
  header: Struct;
}

/** A page of values; the levels of an optional column are part of its bytes. */
export function dataPage(bytes: readonly number[], values: number, of: number = encoding.plain): PageInit {
  return { bytes, header: { 1: 0, 2: bytes.length, 3: bytes.length, 5: { 1: values, 2: of, 3: 3, 4: 3 } } };
}

export function dictionaryPage(bytes: readonly number[], values: number): PageInit {
  return { bytes, header: { 1: 2, 2: bytes.length, 3: bytes.length, 7: { 1: values, 2: 0 } } };
}

/** A Zstandard frame of one compressed block (RFC 8878, 3.1.1) that claims to unfold to `length` bytes, below 256. */
export function zstdFrame(block: readonly number[], length: number): number[] {
  const header = (block.length << 3) | (2 << 1) | 1;
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  return [...magic, 0x20, length, header & 255, (header >> 8) & 255, header >> 16, ...block];
}

/**
 * A block without literals and with `count` sequences, each of which copies by the codes, 0x7f00 of them or more: a code
 * for literals, one for the distance and one for the match, each given once for all.
 */
export function zstdSequences(count: number, codes: readonly [number, number, number]): number[] {
  return [0, 255, (count - 0x7f00) & 255, (count - 0x7f00) >> 8, 0x54, ...codes, 1];
}

/** Strings as PLAIN has them. */
export function strings(...texts: string[]): number[] {
  return texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [...length, ...bytes];
  });
}

export interface TableInit {
  rows: number | bigint;
  /** Pages of the one column, which is called "text" and required. */
  pages: readonly PageInit[];
  type?: number;
  codec?: number;
  /** Fields of the column's metadata, the schema's elements after the root, further fields of the footer. */
  metadata?: Struct;
  schema?: Struct[];
  footer?: Struct;
}

/** A file of one row group. */
export function parquetFile(table: TableInit): Uint8Array {
  const { rows, pages, type = parquetType.byteArray } = table;
  const chunk = pages.flatMap(({ header, bytes }) => [...struct(header), ...bytes]);
  const metadata: Struct = {
    1: type,
    2: [0],
    3: ['text'],
    4: table.codec ?? 0,
    5: rows,
    6: chunk.length,
    7: chunk.length,
    9: 4,
    ...table.metadata,
  };
  const footer = struct({
    1: 1,
    2: [
      { 4: 'root', 5: table.schema?.length ?? 1 },
      ...(table.schema ?? [{ 1: type, 3: 0, 4: 'text', ...(type === parquetType.byteArray && { 6: utf8 }) }]),
    ],
    3: rows,
    4: [{ 1: [{ 2: 0, 3: metadata }], 2: chunk.length, 3: rows }],
    ...table.footer,
  });
  return fileOf(chunk, footer);
}

/** A file of what comes before its footer, and that. */
export function fileOf(
  body: readonly number[],
  footer: readonly number[],
  length = footer.length,
): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(length);
  const magic = Buffer.from('PAR1');
  return Buffer.concat([magic, Uint8Array.from(body), Uint8Array.from(footer), size, magic]);
}
