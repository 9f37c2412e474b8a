import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ReadOptions, readExamples, readExamplesFrom } from '../../../src/data/read.ts';
import { dataPage, parquetFile, strings } from './build-parquet.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const read = (name: string, options?: ReadOptions) =>
  readExamples(join(fixtures, `${name}.parquet`), options);

async function labels(name: string, options?: ReadOptions): Promise<(string | undefined)[]> {
  return (await read(name, options)).examples.map(({ label }) => label);
}

const refused = (name: string, message: RegExp, options?: ReadOptions) =>
  assert.rejects(read(name, options), { code: 'SESD_BAD_DATA', message });

describe('what pyarrow writes', async () => {
  const rows: [string, string][] = JSON.parse(await readFile(join(fixtures, 'rows.json'), 'utf8'));
  const expected = rows.map(([text, label], index) => ({ text, label, line: index + 1 }));
  for (const name of [
    ...['codec-none', 'codec-snappy', 'codec-gzip', 'codec-brotli', 'codec-zstd', 'version-2', 'required'],
    ...['plain', 'plain-2', 'dictionary-full', 'delta-length-byte-array-1', 'delta-length-byte-array-2'],
    ...['delta-byte-array-1', 'delta-byte-array-2', 'class-label'],
  ]) {
    test(name, async () => {
      const { examples, columns } = await read(name);
      assert.deepEqual(examples, expected);
      assert.deepEqual(columns, { text: 'text', label: 'label' });
    });
  }

  test('LZ4 is refused by name', () =>
    refused('codec-lz4', /the column "text": its compression LZ4_RAW is none of UNCOMPRESSED, SNAPPY, GZIP/));
});

test('labels of any scalar type are strings', async () => {
  assert.deepEqual(await labels('labels-int64'), ['0', '1', '9007199254740993', '-5']);
  assert.deepEqual(await labels('labels-int32-delta'), ['7', '-1', '2147483647']);
  assert.deepEqual(await labels('labels-uint8'), ['0', '255', '3']);
  assert.deepEqual(await labels('labels-uint64'), ['0', '18446744073709551615']);
  assert.deepEqual(await labels('labels-bool'), ['true', 'false', 'true']);
  assert.deepEqual(await labels('labels-bool-2'), ['true', 'false', 'true']);
  assert.deepEqual((await labels('labels-float')).map(Number), [0.5, 3, Math.fround(-1e-3)]);
  assert.deepEqual(await labels('labels-double', { requireLabel: false }), ['0.1', '3', undefined]);
  assert.deepEqual(await labels('labels-dictionary'), ['b', 'a', 'b']);
});

test('rows without a label are named, or left without one', async () => {
  await refused('labels-null', /labels-null\.parquet:2: "label": the label is missing$/);
  assert.deepEqual(await labels('labels-null', { requireLabel: false }), ['a', undefined, 'b']);
  await refused('labels-double', /:3: "label": the label is missing$/);
  await refused('class-label-none', /:1: "label": the label is missing$/);
  assert.deepEqual(await labels('class-label-none', { requireLabel: false }), [undefined, 'neutral']);
});

test('the names of classes are given in the order of their ids', async () => {
  const { classNames } = await read('class-label');
  assert.deepEqual(classNames, ['negative', 'neutral', 'positive']);
  assert.equal((await read('labels-int64')).classNames, undefined);
});

test('values that are no texts, labels or classes are named by row', async () => {
  await refused('class-label-beyond', /:2: "label": 3 is none of its 3 classes$/);
  await refused('labels-date', /:1: "label": expected a string, number or boolean, found a date$/);
  await refused('text-null', /:2: "text": expected a string, found null$/);
  await refused('text-binary', /:2: "text": expected a string, found bytes that are not UTF-8$/);
  await refused('text-number', /:1: "text": expected a string, found a number$/);
  await refused('no-rows', /no-rows\.parquet: columns and no rows$/);
});

test('nested columns do no harm, but are no texts or labels', async () => {
  const { examples } = await read('nested');
  assert.deepEqual(examples, [
    { text: 'a', pair: 'c', label: '1', line: 1 },
    { text: 'b', pair: 'd', label: '0', line: 2 },
  ]);
  await refused('nested', /the column "tags" holds lists or records/, { text: 'tags' });
  await refused('nested', /the column "answer" holds lists or records/, { label: 'answer' });
  await refused('labels-list', /the column "label" holds lists or records/);
  await refused('nested', /nested\.parquet: no column "tag" \(--text\); the columns are "tags", "answer"/, {
    text: 'tag',
  });
});

describe('files that are not what they seem', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesd-parquet-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function readBytes(bytes: Uint8Array) {
    const file = join(folder, 'file.parquet');
    await writeFile(file, bytes);
    return readExamples(file, { requireLabel: false });
  }
  const refusedBytes = (bytes: Uint8Array, message: RegExp) =>
    assert.rejects(readBytes(bytes), { code: 'SESD_BAD_DATA', message });

  test('a file by hand is read', async () => {
    const bytes = parquetFile({ rows: 2, pages: [dataPage(strings('a', 'b'), 2)] });
    assert.deepEqual((await readBytes(bytes)).examples, [
      { text: 'a', line: 1 },
      { text: 'b', line: 2 },
    ]);
  });

  test('other files, and Parquet cut short', async () => {
    const whole = await readFile(join(fixtures, 'codec-snappy.parquet'));
    await refusedBytes(
      Buffer.from('text,label\n'),
      /not a Parquet file, or cut short: it does not end in PAR1$/,
    );
    await refusedBytes(new Uint8Array(), /the file is empty$/);
    await refusedBytes(Buffer.from('PAR1'), /a damaged Parquet file/);
    await refusedBytes(whole.subarray(0, -1), /does not end in PAR1$/);
    await refusedBytes(Buffer.concat([whole.subarray(0, -4), Buffer.from('PARE')]), /is encrypted$/);
    await refusedBytes(whole.subarray(1000), /the column "text": /);
  });

  test('a pipe', async () => {
    const bytes = async function* () {
      yield Buffer.from('PAR1');
    };
    await assert.rejects(readExamplesFrom({ file: 'standard input', bytes: bytes() }, '.parquet'), {
      code: 'SESD_BAD_DATA',
      message: /^standard input: Parquet cannot be read from a pipe/,
    });
  });
});
