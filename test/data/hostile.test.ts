import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelMap } from '../../src/data/labels.ts';
import { type ColumnRequest, readExamplesFrom } from '../../src/data/read.ts';

async function* repeated(begin: string, part: Buffer, times: number): AsyncGenerator<Buffer> {
  yield Buffer.from(begin);
  for (let i = 0; i < times; i++) yield part;
}
const read = (bytes: AsyncIterable<Buffer>, extension: string, request: ColumnRequest = {}) =>
  readExamplesFrom({ file: 'data', bytes }, extension, request);
const text = (content: string, extension: string, request?: ColumnRequest) =>
  read(repeated(content, Buffer.alloc(0), 0), extension, request);

const megabyte = Buffer.alloc(2 ** 20, 'a');

test('lines without end are refused while they are read', async () => {
  for (const [extension, begin] of [
    ['.csv', 'text,label\na,b\n'],
    ['.tsv', 'text\tlabel\na\tb\n'],
    ['.jsonl', '{"text": "a", "label": 1}\n\n'],
  ] as const) {
    const before = process.memoryUsage.rss();
    await assert.rejects(read(repeated(begin, megabyte, 5000), extension), {
      code: 'SESD_BAD_DATA',
      message: /^data:3: a line of more than 16 MB$/,
    });
    assert.ok(process.memoryUsage.rss() - before < 200 * 2 ** 20);
  }
});

test('a quote that is never closed does not take in the whole file', async () => {
  const lines = Buffer.from(`${'a'.repeat(1000)}\n`.repeat(1000));
  await assert.rejects(read(repeated('text,label\n"open,b\n', lines, 5000), '.csv'), {
    code: 'SESD_BAD_DATA',
    message: /^data:2: a quote opened in this row is never closed$/,
  });
});

test('JSON nested without end is refused where it counts, and skipped where not', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  await assert.rejects(text(`{"text": ${deep}, "label": 1}`, '.jsonl'), { message: /found an array$/ });
  const { examples } = await text(`{"text": "a", "more": ${deep}, "label": 1}`, '.jsonl');
  assert.deepEqual(examples, [{ text: 'a', label: '1', line: 1 }]);
});

test("names of JavaScript's own are names like others", async () => {
  const rows = '{"__proto__": "a", "constructor": "x"}\n{"__proto__": "b", "constructor": "toString"}';
  const { examples } = await text(rows, '.jsonl', { text: '__proto__', label: 'constructor' });
  assert.deepEqual(examples, [
    { text: 'a', label: 'x', line: 1 },
    { text: 'b', label: 'toString', line: 2 },
  ]);
  const labels = new LabelMap(['__proto__', 'constructor']);
  assert.deepEqual(Object.entries(labels.label2id), [
    ['__proto__', 0],
    ['constructor', 1],
  ]);
  assert.equal(labels.indexOf('valueOf'), undefined);
  assert.equal(({} as { text?: string }).text, undefined);
});

test('NUL bytes and byte order marks inside a file are text', async () => {
  const { examples } = await text('text,label\n\0\ufeffa,\0\nb,x\n', '.csv');
  assert.deepEqual(examples[0], { text: '\0\ufeffa', label: '\0', line: 2 });
});
