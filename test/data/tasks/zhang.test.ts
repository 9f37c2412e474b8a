import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badData, published, read } from './published.ts';

describe("AG's News", () => {
  const train = [
    '"3","Shares climb (Agency)","Agency - Traders saw a dwindling\\band of sellers, who ""waited""."',
    '"4","Chip news","A price of \\\\$5 #39;was right\\now."',
  ].join('\n');

  test('joins title and description; a backslash is a lost line break', async () => {
    const folder = published({ 'ag_news_csv/train.csv': train, 'ag_news_csv/test.csv': '"1","A","B"\n' });
    const { examples, labels } = await read('ag-news', folder);
    assert.deepEqual(labels, ['World', 'Sports', 'Business', 'Sci/Tech']);
    assert.deepEqual(examples.train, [
      {
        text: 'Shares climb (Agency)\nAgency - Traders saw a dwindling\nband of sellers, who "waited".',
        label: 'Business',
        line: 1,
      },
      { text: 'Chip news\nA price of \n$5 #39;was right\nnow.', label: 'Sci/Tech', line: 2 },
    ]);
    assert.deepEqual(examples.test, [{ text: 'A\nB', label: 'World', line: 1 }]);
  });

  test('a class that is none and a row of other columns are named with their line', async () => {
    const wrong = published({ 'train.csv': `${train}\n"5","T","D"\n`, 'test.csv': train });
    await assert.rejects(read('ag-news', wrong), badData(/train\.csv:3: expected one of 1, 2, 3, 4 .* "5"/));
    const yelp = published({ 'train.csv': '"1","A review."\n', 'test.csv': '"1","A review."\n' });
    await assert.rejects(
      read('ag-news', yelp),
      badData(/train\.csv:1: .*class, title, description, found 2/),
    );
  });
});

test('DBPedia has unquoted classes and contents that begin with a space', async () => {
  const rows = '1,"E. Maker Ltd"," E. Maker Ltd built ""coaches"" in a town."\n14,"A Book"," A novel."\n';
  const { examples, labels } = await read('dbpedia', published({ 'train.csv': rows, 'test.csv': rows }));
  assert.equal(labels!.length, 14);
  assert.deepEqual(examples.train, [
    { text: 'E. Maker Ltd\nE. Maker Ltd built "coaches" in a town.', label: 'Company', line: 1 },
    { text: 'A Book\nA novel.', label: 'WrittenWork', line: 2 },
  ]);
});

test('Yelp reviews have \\n for line breaks and \\" for quotes', async () => {
  const rows = '"1","Never again.\\n\\nThe \\""soup\\"" was cold."\n"2","Great, and near."\n';
  const polarity = await read('yelp-polarity', published({ 'train.csv': rows, 'test.csv': rows }));
  assert.deepEqual(polarity.examples.train, [
    { text: 'Never again.\n\nThe "soup" was cold.', label: 'negative', line: 1 },
    { text: 'Great, and near.', label: 'positive', line: 2 },
  ]);
  const full = await read('yelp-full', published({ 'train.csv': '"5","Fine."', 'test.csv': rows }));
  assert.deepEqual(full.labels, ['1 star', '2 stars', '3 stars', '4 stars', '5 stars']);
  assert.equal(full.examples.train![0]!.label, '5 stars');
});
