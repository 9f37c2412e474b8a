import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { badData, published, read } from './published.ts';

const reviews = {
  'train/pos/10_9.txt': 'Warm and clever.<br /><br />I laughed.',
  'train/pos/2_8.txt': 'A "fine" caf\u00e9 drama.\n',
  'train/neg/0_3.txt': 'Two hours I will not get back.',
  'train/unsup/5_0.txt': 'Nobody said.',
  'train/neg/.DS_Store': '\u0000',
  'test/pos/1_7.txt': 'Good.',
  'test/neg/3_1.txt': 'Bad.',
};
const below = (folder: string) =>
  Object.fromEntries(Object.entries(reviews).map(([path, text]) => [`${folder}/${path}`, text]));

test('reviews are read by label, then id, with line breaks for <br />', async () => {
  const { examples, labels, notices } = await read('imdb', published(reviews));
  assert.deepEqual(labels, ['neg', 'pos']);
  assert.deepEqual(examples.train, [
    { text: 'Two hours I will not get back.', label: 'neg', line: 1 },
    { text: 'A "fine" caf\u00e9 drama.\n', label: 'pos', line: 1 },
    { text: 'Warm and clever.\n\nI laughed.', label: 'pos', line: 1 },
  ]);
  assert.deepEqual(
    examples.test!.map(({ text }) => text),
    ['Bad.', 'Good.'],
  );
  assert.deepEqual(Object.keys(examples), ['train', 'test']);
  assert.deepEqual(notices, []);
});

test('more reviews than are open at once keep their order', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`train/pos/${i}_10.txt`, `${i}`.repeat(1 + ((i * 37) % 90))]),
  );
  const { examples } = await read('imdb', published({ ...reviews, ...many }));
  const found = examples.train!.filter(({ text }) => /^\d+$/.test(text));
  assert.deepEqual(
    found.map(({ text }) => text),
    Object.values(many),
  );
});

test('--data may be the folder aclImdb lies in', async () => {
  const { examples } = await read('imdb', published(below('aclImdb')));
  assert.equal(examples.train!.length, 3);
});

test('what is missing or broken is named', async () => {
  const { 'test/pos/1_7.txt': _, ...others } = reviews;
  await assert.rejects(read('imdb', published(others)), badData(/test[\\/]pos: no such folder/));
  const empty = published({ ...others, 'test/pos/readme': '' });
  await assert.rejects(read('imdb', empty), badData(/test[\\/]pos: no review \(ID_RATING\.txt\)/));
  await assert.rejects(
    read('imdb', published({ 'train/pos/1_7.txt': '' })),
    badData(/has no test\.$/, /aclImdb_v1\.tar\.gz.*--data/),
  );
  await assert.rejects(read('imdb', join(empty, 'none')), badData(/--data .*none: no such folder/));
});
