import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { encodeAll } from '../../src/tokenizer/encode-all.ts';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';

let folder = '';
let tokenizer: Tokenizer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-encode-'));
  await writeFile(join(folder, 'vocab.txt'), ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'good', 'bad'].join('\n'));
  tokenizer = await loadTokenizer(folder);
});

after(() => rm(folder, { recursive: true, force: true }));

test('examples keep their order, pairs and labels', async () => {
  const examples = [
    { text: 'good', line: 1 },
    { text: 'bad', pair: 'good good', line: 2 },
  ];
  const encoded = await encodeAll(tokenizer, examples, { maxLength: 8, labels: [1, 0] });
  assert.deepEqual(encoded, [
    { ids: Int32Array.of(2, 4, 3), typeIds: Int32Array.of(0, 0, 0), label: 1 },
    { ids: Int32Array.of(2, 5, 3, 4, 4, 3), typeIds: Int32Array.of(0, 0, 0, 1, 1, 1), label: 0 },
  ]);
  const [unlabelled] = await encodeAll(tokenizer, examples, { maxLength: 8 });
  assert.equal(unlabelled?.label, -1);
});

const many = Array.from({ length: 20_000 }, (_, line) => ({ text: `good bad ${line} good bad good`, line }));

test('the event loop runs while many texts are encoded', async () => {
  let turns = 0;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  await encodeAll(tokenizer, many, { maxLength: 16 });
  clearImmediate(next);
  assert.ok(turns > 3, `${turns} turns`); // in one go it would be none
});

test('an aborted signal ends it', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 1);
  await assert.rejects(encodeAll(tokenizer, many, { maxLength: 16 }, stop.signal), { code: 'SESD_ABORTED' });
});
