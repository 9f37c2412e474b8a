import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ReadOptions, readExamples, readExamplesFrom } from '../../src/data/read.ts';

let folder = '';
let files = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-read-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function read(extension: string, content: string | Uint8Array, options: ReadOptions = {}) {
  const file = join(folder, `data${files++}${extension}`);
  await writeFile(file, content);
  return readExamples(file, options);
}

/** Rows without their lines, as [text, pair, label]. */
async function rows(extension: string, content: string, options: ReadOptions = {}) {
  const { examples } = await read(extension, content, options);
  return examples.map(({ text, pair, label }) => [text, pair, label]);
}

async function assertRefused(
  message: RegExp,
  extension: string,
  content: string | Uint8Array,
  options: ReadOptions = {},
): Promise<void> {
  await assert.rejects(read(extension, content, options), { code: 'SESD_BAD_DATA', message });
}

test('csv: byte order mark, CRLF, quotes, newlines in quotes, blank lines, the line a row starts on', async () => {
  const content = '\ufefftext,label\r\n"a ""b"", c\r\nd",x\r\n\r\nplain,y\r\n"", z \r\n\r\n  \r\n';
  const { examples, columns } = await read('.csv', content);
  assert.deepEqual(examples, [
    { text: 'a "b", c\r\nd', label: 'x', line: 2 },
    { text: 'plain', label: 'y', line: 5 },
    { text: '', label: 'z', line: 6 },
  ]);
  assert.deepEqual(columns, { text: 'text', label: 'label' });
});

test('csv: rows that span the chunks of a stream', async () => {
  const bytes = Buffer.from('text,label\nžluťoučký kůň,a\n"two\nlines ✓",b\n');
  for (let size = 1; size < bytes.length; size++) {
    const chunks = async function* () {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
    };
    const { examples } = await readExamplesFrom({ file: 'stdin', bytes: chunks() }, '.csv');
    assert.deepEqual(examples, [
      { text: 'žluťoučký kůň', label: 'a', line: 2 },
      { text: 'two\nlines ✓', label: 'b', line: 3 },
    ]);
  }
});

test('tsv: quotes are characters like any other', async () => {
  assert.deepEqual(await rows('.tsv', 'sentence\tlabel\n"oh" he said "no\t0\na, b\t1\n'), [
    ['"oh" he said "no', undefined, '0'],
    ['a, b', undefined, '1'],
  ]);
});

test('jsonl: labels of any scalar type are strings', async () => {
  const content =
    '\ufeff{"text":"a","label":1}\r\n\r\n{"label":true,"text":"b","more":[1]}\n{"text":"\\u00e9","label":" x "}';
  const { examples, columns } = await read('.jsonl', content);
  assert.deepEqual(examples, [
    { text: 'a', label: '1', line: 1 },
    { text: 'b', label: 'true', line: 3 },
    { text: 'é', label: 'x', line: 4 },
  ]);
  assert.deepEqual(columns, { text: 'text', label: 'label' });
  assert.deepEqual(await rows('.NDJSON', '{"premise":"p","hypothesis":"h","label":"yes"}'), [
    ['p', 'h', 'yes'],
  ]);
});

test('columns by their usual names, in any case and order', async () => {
  const cases: [header: string, columns: object][] = [
    ['LABEL,Text', { text: 'Text', label: 'LABEL' }],
    ['id,Review Text,Sentiment', { text: 'Review Text', label: 'Sentiment' }],
    ['idx,question,sentence,label', { text: 'question', textPair: 'sentence', label: 'label' }],
    ['label,sentence2,sentence1', { text: 'sentence1', textPair: 'sentence2', label: 'label' }],
    ['gold_label,premise,hypothesis', { text: 'premise', textPair: 'hypothesis', label: 'gold_label' }],
    ['label,label_text,text', { text: 'text', label: 'label' }],
    ['text,stars', { text: 'text', label: 'stars' }],
    ['blurb,label', { text: 'blurb', label: 'label' }],
  ];
  for (const [header, columns] of cases) {
    const { columns: found } = await read('.csv', `${header}\n${header.replaceAll(/[^,]+/g, 'a b')}\n`);
    assert.deepEqual(found, columns, header);
  }
});

test('columns by name or position as asked', async () => {
  const content = 'id,headline,body,topic\n7,a b,c d,x\n';
  assert.deepEqual(await rows('.csv', content, { text: 'headline', label: 'topic' }), [
    ['a b', undefined, 'x'],
  ]);
  assert.deepEqual(await rows('.csv', content, { text: 'body', textPair: 'HEADLINE', label: 'topic' }), [
    ['c d', 'a b', 'x'],
  ]);
  assert.deepEqual(await rows('.csv', content, { text: '1', label: '3' }), [['a b', undefined, 'x']]);
  const bare = '7,a b,c d,x\n8,e f,g h,y\n';
  assert.deepEqual(await rows('.csv', bare, { text: '2', label: '0' }), [
    ['c d', undefined, '7'],
    ['g h', undefined, '8'],
  ]);
  assert.deepEqual(await rows('.csv', bare, { text: '1', textPair: '2' }), [
    ['a b', 'c d', 'x'],
    ['e f', 'g h', 'y'],
  ]);
});

test('without a header: text first, label last, of three columns a pair', async () => {
  assert.deepEqual(await rows('.csv', 'who are you,question\nok then,answer\n'), [
    ['who are you', undefined, 'question'],
    ['ok then', undefined, 'answer'],
  ]);
  const { examples, columns } = await read('.tsv', 'a\tb\t1\nc\td\t0\n');
  assert.deepEqual(columns, { text: '0', textPair: '1', label: '2' });
  assert.deepEqual(examples[1], { text: 'c', pair: 'd', label: '0', line: 2 });
});

test('files to predict need no label', async () => {
  const options = { requireLabel: false };
  assert.deepEqual(await rows('.csv', 'one text\nanother\n', options), [
    ['one text', undefined, undefined],
    ['another', undefined, undefined],
  ]);
  assert.deepEqual(await rows('.csv', 'text,id\na b,1\n', options), [['a b', undefined, undefined]]);
  assert.deepEqual(await rows('.csv', 'text,label\na b,\nc d,x\n', options), [
    ['a b', undefined, undefined],
    ['c d', undefined, 'x'],
  ]);
  assert.deepEqual(await rows('.jsonl', '{"text":"a","label":null}', options), [['a', undefined, undefined]]);
});

test('files that are not there, empty or of no known kind', async () => {
  const options = { flag: '--train' };
  const refused = (path: string, message: RegExp) =>
    assert.rejects(readExamples(path, options), { code: 'SESD_BAD_DATA', message });
  await refused(join(folder, 'none.csv'), /^--train .*none\.csv: no such file$/);
  await mkdir(join(folder, 'sub.csv'), { recursive: true });
  await refused(join(folder, 'sub.csv'), /sub\.csv: a folder, expected a file$/);
  await assertRefused(/the file is empty$/, '.csv', '');
  await assertRefused(/the file is empty$/, '.tsv', '\n\r\n \n');
  await assertRefused(/the file is empty$/, '.jsonl', '\n');
  await assertRefused(/:1: a header and no rows$/, '.csv', 'text,label\n');
  await assertRefused(/unknown extension "\.xlsx"/, '.xlsx', 'PK');
  await assertRefused(/no extension/, '', 'text,label\na,b\n');
  await assert.rejects(read('.json', '[{"text":"a"}]'), { code: 'SESD_BAD_DATA', hint: /jq -c '\.\[\]'/ });
});

test('rows that cannot be used are named by line', async () => {
  await assertRefused(/:3: expected 2 columns, found 1$/, '.csv', 'text,label\na,x\nb\n');
  await assertRefused(/:2: expected 2 columns, found 3$/, '.csv', 'text,label\na, b,x\n');
  await assertRefused(/:4: the label is empty$/, '.csv', 'text,label\na,x\n\nb,\n');
  await assertRefused(
    /:3: a quote opened in this row is never closed$/,
    '.csv',
    'text,label\na,x\n"b,y\nc,z\n',
  );
  await assertRefused(/:4: .*closing quote is followed/, '.csv', 'text,label\r\n"a\r\nb",x\r\n"b"c,y\r\n');
  await assertRefused(/:2: a quote inside a field/, '.csv', 'text,label\nthe 15" screen,x\n');
  await assertRefused(/:2: not valid JSON/, '.jsonl', '{"text":"a","label":1}\n{"text":\n');
  await assertRefused(/:1: expected a JSON object, found an array$/, '.jsonl', '[{"text":"a","label":1}]');
  await assertRefused(/:1: expected a JSON object, found a string$/, '.jsonl', '"text"');
  await assertRefused(
    /:2: "text": expected a string, found a number$/,
    '.jsonl',
    '{"text":"a","label":1}\n{"text":3,"label":1}',
  );
  await assertRefused(/:2: "text": .* found no such key$/, '.jsonl', '{"text":"a","label":1}\n{"label":1}');
  await assertRefused(/:1: "label": the label is missing$/, '.jsonl', '{"text":"a","label":null}');
  await assertRefused(/:1: "label": expected .* found an array$/, '.jsonl', '{"text":"a","label":[1]}');
});

test('text that is not UTF-8', async () => {
  const latin1 = Buffer.concat([
    Buffer.from('text,label\nok,1\n'),
    Buffer.from([0x63, 0xe9, 0x2c, 0x32, 0x0a]),
  ]);
  await assertRefused(/:3: not valid UTF-8$/, '.csv', latin1);
  await assertRefused(/found UTF-16$/, '.csv', Buffer.from('\ufefftext,label\na,b\n', 'utf16le'));
  await assertRefused(/:1: not valid UTF-8$/, '.jsonl', Buffer.from([0x89, 0x50, 0x4e, 0x47]));
});

test('columns that are not there or not clear', async () => {
  const content = 'headline,topic,id\na b,x,1\n';
  await assertRefused(
    /:1: no column "lable" \(--label\); the columns are "headline", "topic", "id"$/,
    '.csv',
    content,
    {
      text: 'headline',
      label: 'lable',
    },
  );
  await assertRefused(/no column "pair" \(--text-pair\)/, '.csv', content, { textPair: 'pair' });
  await assertRefused(/--label 3: found 3 columns/, '.csv', content, { text: '0', label: '3' });
  await assertRefused(/--text and --label are both the column "topic"/, '.csv', content, {
    text: 'topic',
    label: 'topic',
  });
  await assertRefused(/cannot tell which column is the text/, '.csv', 'id,label,n\n1,x,2\n');
  await assertRefused(/cannot tell which column is the label/, '.csv', 'id,text,n\n1,a b,2\n', {
    text: 'text',
  });
  await assertRefused(/no column "class" \(--label\)/, '.jsonl', '{"text":"a","label":1}', {
    label: 'class',
  });
  await assertRefused(/4 columns/, '.csv', '1,2,a b,c\n3,4,d e,f\n');
  await assertRefused(
    /:1: expected columns separated by commas, found semicolons$/,
    '.csv',
    'text;label\na;x\n',
  );
  await assertRefused(/:1: expected columns separated by tabs, found commas$/, '.tsv', 'text,label\na,x\n');
  await assertRefused(/expected a text and a label, found 1 column/, '.csv', 'just a text\n');
});

test('a header without a usual name is not taken for a row', async () => {
  const content = 'blurb,kind\na b,x\nc d,x\ne f,y\n';
  await assert.rejects(read('.csv', content), {
    code: 'SESD_BAD_DATA',
    message: /cannot tell whether "blurb", "kind" is a header or a row/,
    hint: /--text blurb --label kind.*--text 0 --label 1/,
  });
  assert.equal((await read('.csv', content, { text: 'blurb', label: 'kind' })).examples.length, 3);
  assert.equal((await read('.csv', content, { text: '0', label: '1' })).examples.length, 4);
});
