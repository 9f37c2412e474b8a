import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadClassifier, loadRegressor } from '../../src/index.ts';
import { type Finished, jsonLines, makeWorkFolder, readJsonLines, rows, sesdTrain } from './sesd-train.ts';

/** What a text is worth: the two topics, and within them nothing to tell by. */
const worthOf = (label: string) => (label === 'animal' ? 1.5 : -0.5);

describe('a regression through all commands', () => {
  let folder: string;
  let run: Finished;
  const call = (args: string, stdin?: string): Promise<Finished> =>
    sesdTrain(args.split(' '), { cwd: folder, ...(stdin !== undefined && { stdin }) });

  before(async () => {
    folder = await makeWorkFolder();
    const lines = rows.map(({ text, label }) => `${text},${worthOf(label)}`);
    await writeFile(join(folder, 'values.csv'), ['text,score', ...lines].join('\n'));
    run = await call(
      'train --problem-type regression --onnx bert --train values.csv --label score --dev 0.25 --test values.csv ' +
        '--lr 5e-3 --head-lr 2e-2 --batch-size 5 --epochs 12 --dropout 0 --output run',
    );
  });

  test('train shows correlations, and chooses the weights by Pearson', () => {
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /^15 train, .* examples of numbers; /m);
    assert.match(run.stderr, /^dev after step 3 {2}student {2}pearson -?[\d.]+ {2}loss [\d.]+$/m);
    assert.match(run.stdout, /^ +examples +pearson +spearman +RMSE$/m);
    assert.match(run.stdout, /^test +20 +0\.9\d\d +0\.\d{3} +0\.\d{3}$/m);
    assert.match(run.stdout, /the best on dev by pearson$/m);
  });

  test('evaluate measures the same on the same examples', async () => {
    const { code, stdout, stderr } = await call('evaluate run values.csv --label score --json');
    assert.equal(code, 0, stderr);
    const metrics = JSON.parse(stdout) as Record<string, number>;
    const [final] = (await readJsonLines(join(folder, 'run/metrics.jsonl'))).filter(
      ({ type, split, final }) => type === 'eval' && split === 'test' && final,
    );
    for (const name of ['loss', 'mse', 'rmse', 'mae', 'pearson', 'spearman'])
      assert.ok(Math.abs(metrics[name]! - (final![name] as number)) < 1e-5, name);
    const text = (await call('evaluate run values.csv --label score')).stdout;
    assert.match(text, /^Examples {2}20\nPearson {3}0\.9\d+\nSpearman {2}0\.\d+\nRMSE .*\nMAE .*\n$/);
  });

  test('predict writes values, as JSON lines and as csv', async () => {
    const { code, stdout, stderr } = await call('predict run', 'the cat and dog run\neat bread with wine');
    assert.equal(code, 0, stderr);
    const found = jsonLines(stdout);
    assert.deepEqual(Object.keys(found[0]!), ['text', 'value']);
    assert.ok((found[0]!.value as number) > (found[1]!.value as number) + 0.5);
    const csv = (await call('predict run --output-format csv', 'eat bread')).stdout;
    assert.match(csv, /^text,value\neat bread,-?\d+\.\d+\n$/);
    const refused = await call('predict run --logits', 'eat bread');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--logits: this model predicts a number/);
  });

  test('its model says what it is, to other tools and to the API', async () => {
    const config = JSON.parse(await readFile(join(folder, 'run/model/config.json'), 'utf8'));
    assert.equal(config.problem_type, 'regression');
    assert.deepEqual([config.id2label, config.num_labels], [{ 0: 'LABEL_0' }, 1]);
    const regressor = await loadRegressor(join(folder, 'run'));
    const [value] = await regressor.predict(['the cat and dog run']);
    assert.deepEqual(Object.keys(value!), ['value']);
    const all = await regressor.predict(rows);
    const squares = all.map(({ value: found }, i) => (found - worthOf(rows[i]!.label)) ** 2);
    const { test: measured } = JSON.parse(await readFile(join(folder, 'run/summary.json'), 'utf8'));
    assert.ok(Math.abs(squares.reduce((sum, square) => sum + square, 0) / 20 - measured.loss) < 1e-5);
    await assert.rejects(
      regressor.evaluate([{ text: 'a cat', label: 'good', line: 7 }], { name: 'new.csv' }),
      /new\.csv:7: the label "good" is not a number/,
    );
    regressor.close();
    await assert.rejects(loadClassifier(join(folder, 'run')), {
      code: 'SESD_BAD_MODEL',
      message: /predicts numbers, not labels/,
      hint: 'Load it with loadRegressor.',
    });
  });

  test('labels that are no numbers are named with file and line', async () => {
    const { code, stderr } = await call('--problem-type regression --onnx bert --train train.jsonl');
    assert.equal(code, 2);
    assert.match(stderr, /train\.jsonl:1: the label "animal" is not a number/);
  });
});
