import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readExamples } from '../../../src/data/read.ts';
import {
  codec,
  dataPage,
  dictionaryPage,
  encoding,
  fileOf,
  type PageInit,
  parquetFile,
  parquetType,
  type Struct,
  strings,
  type TableInit,
  varint,
  zstdFrame,
  zstdSequences,
} from './build-parquet.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-parquet-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Refused with the message, in little time and without much memory. */
async function refused(bytes: Uint8Array, message: RegExp): Promise<void> {
  const file = join(folder, 'file.parquet');
  await writeFile(file, bytes);
  const began = { at: performance.now(), rss: process.memoryUsage.rss() };
  await assert.rejects(readExamples(file, { text: 'text', requireLabel: false }), {
    code: 'SESD_BAD_DATA',
    message,
  });
  const seconds = (performance.now() - began.at) / 1000;
  const megabytes = (process.memoryUsage.rss() - began.rss) / 2 ** 20;
  assert.ok(seconds < 5, `${seconds} s`);
  assert.ok(megabytes < 200, `${megabytes} MB`);
}

const refusedTable = (table: Partial<TableInit>, message: RegExp) =>
  refused(parquetFile({ rows: 3, pages: [dataPage(strings('a', 'b', 'c'), 3)], ...table }), message);
const refusedPages = (pages: PageInit[], message: RegExp) => refusedTable({ pages }, message);

const dictionary = dictionaryPage(strings('a', 'b'), 2);
/** A run of one value: its count and the value. */
const run = (count: number, value: number) => [...varint(count * 2), value];

test('rows and pages that are not there', async () => {
  await refusedTable(
    { rows: 10n ** 12n },
    /claims to unfold to more than 64 MB: 64 MB and 12 times its size$/,
  );
  await refusedTable({ rows: -1 }, /a row group claims -1 rows/);
  await refusedTable({ rows: 5 }, /the column "text": 3 values for 5 rows$/);
  await refusedTable({ metadata: { 7: 10n ** 10n } }, /claims 3 rows in 10000000000 bytes at 4/);
  await refusedTable({ metadata: { 9: -4 } }, /bytes at -4/);
  await refusedTable({ metadata: { 3: ['text', 'inner'] } }, /has text\.inner \(BYTE_ARRAY\) in its place$/);
  await refusedTable({ metadata: { 1: parquetType.int64 } }, /has text \(INT64\) in its place$/);
  const [bytes, header] = [strings('a', 'b', 'c'), dataPage(strings('a', 'b', 'c'), 3).header];
  await refusedPages([{ bytes, header: { ...header, 3: 2 ** 31 - 1 } }], /a page claims 2147483647 bytes/);
  await refusedPages([{ bytes, header: { ...header, 3: -5 } }], /a page claims -5 bytes/);
  await refusedPages([{ bytes, header: { ...header, 2: -5 } }], /a page of -5 bytes$/);
  await refusedPages([{ bytes, header: { ...header, 5: undefined } }], /a page of -1 values/);
  await refusedPages([dataPage(bytes, 2 ** 31 - 1)], /a page of 2147483647 values, where 3 are missing/);
  await refusedPages([dataPage(strings('a', 'b').slice(0, -1), 3)], /the column "text": /);
  await refusedPages([{ bytes, header: { ...header, 1: 1 } }], /a page of type INDEX_PAGE$/);
});

test('runs of values that are not there', async () => {
  const indices = (bytes: number[], values = 3) => dataPage([1, ...bytes], values, encoding.dictionary);
  await refusedPages([indices(run(3, 0))], /a page refers to a dictionary that is not there$/);
  await refusedPages([dictionary, indices(run(2 ** 30, 0))], /has a run of 1073741824 values, and 3 in all$/);
  await refusedPages([dictionary, indices([...varint(2 ** 31 + 1), 0])], /has a run of 8589934592 values/);
  await refusedPages([dictionary, indices([0x80, 0x80, 0x80, 0x80, 0x80, 0x01])], /more than 32 bits$/);
  await refusedPages([dictionary, indices(run(1, 0))], /ends inside a number$/);
  await refusedPages([dictionary, indices(run(3, 9))], /a value outside of its dictionary$/);
  await refusedPages(
    [dictionary, dataPage([200, ...run(3, 0)], 3, encoding.dictionary)],
    /values of 200 bits$/,
  );
  await refusedPages(
    [dictionaryPage(strings('a'), 10 ** 9)],
    /a dictionary of 1000000000 values in 5 bytes$/,
  );
  // The levels of a column that may have nulls.
  const optional: Struct[] = [{ 1: parquetType.byteArray, 3: 1, 4: 'text', 6: 0 }];
  const levels = run(2 ** 30, 1);
  const page = dataPage([levels.length, 0, 0, 0, ...levels, ...strings('a', 'b', 'c')], 3);
  await refusedTable({ schema: optional, pages: [page] }, /has a run of 1073741824 values, and 3 in all$/);
});

test('differences that would loop or fill the memory', async () => {
  const deltas = (bytes: number[]) => dataPage(bytes, 3, encoding.deltaLengths);
  await refusedPages([deltas([...varint(128), 0, 3, 0])], /blocks of 128 values in 0 parts$/);
  await refusedPages([deltas([...varint(128), ...varint(2 ** 32 - 8), 3, 0])], /in 4294967288 parts$/);
  await refusedPages([deltas([0, 4, 3, 0])], /blocks of 0 values in 4 parts$/);
  await refusedPages([deltas([...varint(2 ** 30), 4, 3, 0])], /blocks of 1073741824 values/);
  await refusedPages([deltas([...varint(128), 4, 9, 0])], /has 9 differences for 3 values$/);
  // Lengths that grow by 2^20 without a byte for each: every value repeats the one before and adds nothing.
  const rows = 1000;
  const growing = [...varint(1024), 4, ...varint(rows), 0, ...varint(2 ** 21), 0, 0, 0, 0];
  const none = [...varint(1024), 4, ...varint(rows), 0, 0, 0, 0, 0, 0];
  const bomb = dataPage([...growing, ...none], rows, encoding.deltaStrings);
  await refusedTable({ rows, pages: [bomb] }, /claims to unfold to more than 64 MB/);
});

test('pages that unpack to more than they should', async () => {
  const zeros = [...gzipSync(Buffer.alloc(50 * 2 ** 20))];
  const claim = (size: number): PageInit => ({
    bytes: zeros,
    header: { ...dataPage(zeros, 3).header, 2: size },
  });
  await refusedTable({ codec: codec.gzip, pages: [claim(15)] }, /the column "text": /);
  await refusedTable({ codec: codec.gzip, pages: [claim(2 ** 31 - 1)] }, /claims to unfold to more than/);
  await refusedTable({ codec: codec.snappy, pages: [claim(2 ** 31 - 1)] }, /claims to unfold to more than/);
  await refusedTable({ codec: codec.snappy, pages: [claim(2 ** 20)] }, /the column "text": /);
  await refusedTable({ codec: codec.zstd, pages: [claim(2 ** 20)] }, /the column "text": /);
  await refusedTable({ codec: 77 }, /its compression undefined is none of/);
  await refusedTable({ pages: [claim(15)] }, /a page unpacks to \d+ bytes instead of 15$/);
});

test('a page of a few bytes that has a decompressor copy 10 GB', async () => {
  const longest = zstdFrame(zstdSequences(98_000, [35, 0, 52]), 15);
  const page: PageInit = { bytes: longest, header: { ...dataPage(longest, 3).header, 2: 15 } };
  await refusedTable({ codec: codec.zstd, pages: [page] }, /a page unpacks to 0 bytes instead of 15$/);
});

test('row groups that are all in the same place', async () => {
  const padding = { bytes: Array<number>(2 ** 20).fill(0), header: dataPage([], 0).header };
  const pages = [dataPage(strings('a'), 1), padding];
  const length = 2 ** 20;
  const metadata: Struct = {
    1: parquetType.byteArray,
    2: [0],
    3: ['text'],
    4: 0,
    5: 1,
    6: length,
    7: length,
    9: 4,
  };
  const groups = Array<Struct>(10_000).fill({ 1: [{ 2: 0, 3: metadata }], 2: length, 3: 1 });
  await refusedTable({ rows: groups.length, pages, footer: { 4: groups } }, /claims to unfold to more than/);
});

test('a second kind of page that contradicts itself', async () => {
  const bytes = strings('a', 'b', 'c');
  const sound = { 1: 3, 2: 0, 3: 3, 4: 0, 5: 0, 6: 0, 7: false };
  const second = (fields: Struct): PageInit => ({
    bytes,
    header: { 1: 3, 2: bytes.length, 3: bytes.length, 8: { ...sound, ...fields } },
  });
  for (const fields of [{ 2: -1 }, { 2: 9 }, { 3: 9 }, { 5: 99 }, { 5: -1 }, { 6: 4 }]) {
    await refusedPages([second(fields)], /a page of \d rows with 3 values, of which -?\d are missing$/);
  }
  await refusedPages([second({ 1: 10 ** 9, 3: 10 ** 9 })], /a page of 1000000000 values/);
  await refusedPages([{ ...second({}), header: { 1: 3, 2: 9, 3: 9 } }], /a data page without its header$/);
});

test('footers that claim more than they hold', async () => {
  const list = (kind: number, size: number) => [0x19, 0xf0 | kind, ...varint(size)];
  await refused(fileOf([], list(8, 30_000_000)), /its footer: a list of 30000000 elements, at byte \d+$/);
  await refused(fileOf([], list(1, 2 ** 31)), /a list of 2147483648 elements/);
  await refused(fileOf([], [0x18, ...varint(2 ** 31)]), /its footer: it ends inside a value/);
  await refused(fileOf([], [0x16, ...Array<number>(100_000).fill(0xff)]), /a number of more than 10 bytes/);
  await refused(fileOf([], Array<number>(100_000).fill(0x1c)), /its footer: nested more than 32 deep$/);
  await refused(fileOf([], Array<number>(100_000).fill(0x19)), /its footer: nested more than 32 deep$/);
  await refused(fileOf([], [0x1d, 0]), /a value of unknown type 13/);
  await refused(fileOf([], [0], 2 ** 32 - 1), /its footer claims 4294967295 bytes/);
  await refused(fileOf([], [0]), /a damaged Parquet file: its footer: /);
  const true_ = Array<number>(3_000_000).fill(0x11);
  await refused(fileOf([], [...true_, 0]), /its footer: more than 2000000 fields$/);
});

test('schemas that are not trees', async () => {
  const text: Struct = { 1: parquetType.byteArray, 3: 0, 4: 'text', 6: 0 };
  const group = (children: number): Struct => ({ 3: 0, 4: 'group', 5: children });
  await refusedTable({ schema: [text, group(2 ** 31 - 1)] }, /fewer elements than it says$/);
  await refusedTable({ schema: [text, group(-7)] }, /an element with -7 children$/);
  await refusedTable({ schema: Array<Struct>(5_000).fill(group(1)) }, /fewer elements than it says$/);
  const deep = parquetFile({
    rows: 1,
    pages: [dataPage(strings('a'), 1)],
    footer: { 2: [{ 4: 'root', 5: 2 }, text, ...Array<Struct>(5_000).fill(group(1)), text] },
  });
  const file = join(folder, 'deep.parquet');
  await writeFile(file, deep);
  const { examples } = await readExamples(file, { text: 'text', requireLabel: false });
  assert.deepEqual(examples, [{ text: 'a', line: 1 }]);
});

test('columns in other files are not read', async () => {
  await refusedTable(
    { footer: { 4: [{ 1: [{ 1: '../../secret', 2: 0, 3: { 3: ['text'], 4: 0 } }], 2: 0, 3: 3 }] } },
    /it lies in another file, "\.\.\/\.\.\/secret"$/,
  );
});
