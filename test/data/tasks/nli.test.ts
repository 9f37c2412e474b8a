import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badData, published, read } from './published.ts';

const pairs = [
  ['neutral', 'A man reads "news".', 'He is at home.'],
  ['-', 'A dog runs.', 'It is fast.'],
  ['contradiction', 'Rain falls.\u2028', 'It is dry.'],
  ['entailment', 'Two cats sleep.', 'Cats rest.'],
] as const;
const kept = [
  { text: 'A man reads "news".', pair: 'He is at home.', label: 'neutral' },
  { text: 'Rain falls.\u2028', pair: 'It is dry.', label: 'contradiction' },
  { text: 'Two cats sleep.', pair: 'Cats rest.', label: 'entailment' },
];

const jsonl = pairs
  .map(([gold_label, sentence1, sentence2], i) =>
    JSON.stringify({ annotator_labels: [gold_label], gold_label, pairID: `${i}n`, sentence1, sentence2 }),
  )
  .join('\n');

/** The published columns; of the annotators' labels the last may be lacking. */
const txt = [
  'gold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpairID\tlabel1\tlabel2',
  ...pairs.map(([label, first, second], i) => `${label}\t( x )\t${first}\t${second}\t${i}n\t${label}`),
].join('\r\n');

const glue = [
  'index\tpairID\tsentence1_binary_parse\tsentence1\tsentence2\tlabel1\tgold_label',
  ...pairs.map(([label, first, second], i) => `${i}\t${i}n\t( x )\t${first}\t${second}\t${label}\t${label}`),
].join('\n');

const withoutLines = (examples: readonly { line: number }[] | undefined) =>
  examples!.map(({ line: _, ...rest }) => rest);

describe('SNLI', () => {
  for (const [extension, content, lines] of [
    ['.jsonl', jsonl, [1, 3, 4]],
    ['.txt', txt, [2, 4, 5]],
  ] as const) {
    test(`${extension}: pairs without a gold label are left out and counted`, async () => {
      const folder = published({
        [`snli_1.0/snli_1.0_train${extension}`]: content,
        [`snli_1.0/snli_1.0_dev${extension}`]: content,
        [`snli_1.0/snli_1.0_test${extension}`]: content,
      });
      const { examples, notices, labels } = await read('snli', folder);
      assert.deepEqual(labels, ['entailment', 'neutral', 'contradiction']);
      for (const split of ['train', 'dev', 'test']) assert.deepEqual(withoutLines(examples[split]), kept);
      assert.deepEqual(
        examples.train!.map(({ line }) => line),
        lines,
      );
      const each = (name: string) => `1 example without a gold label of snli_1.0_${name}${extension}`;
      assert.deepEqual(notices, [`SNLI 1.0: left out are ${['train', 'dev', 'test'].map(each).join(', ')}.`]);
    });
  }

  test('an incomplete copy is told what it lacks, an empty folder what is expected', async () => {
    const part = published({ 'snli_1.0_train.jsonl': jsonl, 'snli_1.0_test.jsonl': jsonl });
    await assert.rejects(read('snli', part), badData(/has no snli_1\.0_dev\.jsonl\.$/, /snli_1\.0\.zip/));
    await assert.rejects(
      read('snli', published({})),
      badData(
        /expected snli_1\.0_train\.jsonl, .*_dev\.jsonl, .*_test\.jsonl in it or .*[\\/]snli_1\.0, found none/,
      ),
    );
  });

  test('a label that is none and a broken line are named', async () => {
    const files = (train: string) =>
      published({
        'snli_1.0_train.jsonl': train,
        'snli_1.0_dev.jsonl': jsonl,
        'snli_1.0_test.jsonl': jsonl,
      });
    const maybe = jsonl.replace('"gold_label":"neutral"', '"gold_label":"maybe"');
    await assert.rejects(read('snli', files(maybe)), badData(/train\.jsonl:1: expected one of .* "maybe"/));
    const bare = `${jsonl}\n{"gold_label": "neutral", "sentence1": "A"}`;
    await assert.rejects(read('snli', files(bare)), badData(/train\.jsonl:5: the row has no "sentence2"/));
    await assert.rejects(read('snli', files(`${jsonl}\n{`)), badData(/train\.jsonl:5: not valid JSON/));
  });
});

describe('MultiNLI', () => {
  for (const [form, files] of Object.entries({
    'as jsonl': {
      'multinli_1.0/multinli_1.0_train.jsonl': jsonl,
      'multinli_1.0/multinli_1.0_dev_matched.jsonl': jsonl,
      'multinli_1.0/multinli_1.0_dev_mismatched.jsonl': jsonl.split('\n').slice(2).join('\n'),
    },
    'of GLUE': {
      'MNLI/train.tsv': glue,
      'MNLI/dev_matched.tsv': glue,
      'MNLI/dev_mismatched.tsv': [glue.split('\n')[0], ...glue.split('\n').slice(3)].join('\n'),
      'MNLI/test_matched.tsv': 'index\tsentence1\tsentence2\n',
    },
  })) {
    test(`${form}: dev is the matched one, and there is another`, async () => {
      const { examples, notices } = await read('mnli', published(files));
      assert.deepEqual(Object.keys(examples), ['train', 'dev', 'dev-mismatched']);
      assert.deepEqual(withoutLines(examples.dev), kept);
      assert.deepEqual(withoutLines(examples['dev-mismatched']), kept.slice(1));
      assert.equal(notices.length, 2);
      assert.match(notices[1]!, /there is no test split/);
    });
  }
});
