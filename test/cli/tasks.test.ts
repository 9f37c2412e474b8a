import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type Finished, jsonLines, makeWorkFolder, readJsonLines, sesdTrain } from './sesd-train.ts';

/** Pairs of MultiNLI as GLUE publishes them, with the columns that are read and some that are not. */
const mnli = (count: number) =>
  [
    'index\tpairID\tsentence1\tsentence2\tgold_label',
    ...Array.from({ length: count }, (_, i) => {
      const label = ['contradiction', 'entailment', 'neutral', '-'][i % 4];
      return `${i}\t${i}c\tthe cat and dog ${i}\teat "bread\t${label}`;
    }),
  ].join('\n');

describe('a run on a published dataset', () => {
  let folder: string;
  let run: Finished;
  before(async () => {
    folder = await makeWorkFolder();
    await mkdir(join(folder, 'glue_data/MNLI'), { recursive: true });
    for (const [name, count] of Object.entries({ train: 40, dev_matched: 8, dev_mismatched: 4 })) {
      await writeFile(join(folder, `glue_data/MNLI/${name}.tsv`), mnli(count));
    }
    const args = '--onnx bert --task mnli --data glue_data --epochs 1 --max-length 24 --output run';
    run = await sesdTrain(args.split(' '), { cwd: folder });
  });

  test('says what it read, what it left out and which settings are the task’s', () => {
    assert.equal(run.code, 0, run.stderr);
    const [settings, leftOut, noTest, start] = run.stderr.split('\n');
    assert.match(
      settings!,
      /^MultiNLI 1\.0 is trained with --batch-size 16 .*--head-lr 0\.001 .*go before these\.$/,
    );
    assert.doesNotMatch(settings!, /--epochs|--max-length/);
    assert.match(leftOut!, /left out are 10 examples without a gold label of train\.tsv, 2 .*, 1 /);
    assert.match(noTest!, /there is no test split/);
    assert.match(start!, /^30 train, 6 dev, 3 dev-mismatched examples of 3 labels; .* 2 steps$/);
    assert.doesNotMatch(run.stderr, /No --train/);
  });

  test('measures the second development set at the end', async () => {
    assert.match(run.stdout, /^train +30 .*\ndev +6 .*\ndev-mismatched +3 +[\d.]+ %/m);
    const evals = (await readJsonLines(join(folder, 'run/metrics.jsonl'))).filter(
      ({ type, split }) => type === 'eval' && split === 'dev-mismatched',
    );
    assert.equal(evals.length, 1);
    const [{ accuracy, final, examples }] = evals as [Record<string, unknown>];
    assert.deepEqual([final, examples], [true, 3]);
    const summary = JSON.parse(await readFile(join(folder, 'run/summary.json'), 'utf8'));
    assert.equal(summary.further['dev-mismatched'].accuracy, accuracy);
    assert.deepEqual(summary.labels, ['entailment', 'neutral', 'contradiction']);
  });

  test('writes a model with the labels in the order of the dataset', async () => {
    const { id2label } = JSON.parse(await readFile(join(folder, 'run/model/config.json'), 'utf8'));
    assert.deepEqual(id2label, { 0: 'entailment', 1: 'neutral', 2: 'contradiction' });
  });

  test('a dataset without dev can be split and cut short, and cannot be waited for', async () => {
    const review = (i: number) => `"${1 + (i % 2)}","the cat sleeps ${i}"`;
    const rows = Array.from({ length: 20 }, (_, i) => review(i)).join('\n');
    for (const name of ['train', 'test']) await writeFile(join(folder, `${name}.csv`), rows);
    const common = '--onnx bert --task yelp-polarity --data . --max-steps 1 --max-length 16 --json --quiet';
    const split = await sesdTrain(`${common} --dev 0.2 --train-limit 10 --output split`.split(' '), {
      cwd: folder,
    });
    assert.equal(split.code, 0, split.stderr);
    const [config] = jsonLines(split.stdout).filter(({ type }) => type === 'config');
    assert.deepEqual(config!.examples, { train: 10, dev: 4, test: 20 });
    const waiting = await sesdTrain(`${common} --patience 2 --output none`.split(' '), { cwd: folder });
    assert.equal(waiting.code, 2);
    assert.match(waiting.stderr, /--patience: .*train\.csv has no development split\. .*--dev 0\.1/);
  });
});
