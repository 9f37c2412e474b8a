import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { readExamples } from '../../src/data/read.ts';
import { SesdError } from '../../src/errors.ts';
import { loadClassifier } from '../../src/train/classifier.ts';
import { makeSoup, type SoupOptions } from '../../src/train/soup.ts';
import { train } from '../../src/train/train.ts';
import { makeWorkFolder, rows, sesdTrain } from '../cli/sesd-train.ts';
import { weightsOf } from './model-weights.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const runs = () => ['one', 'two', 'three'].map(at);

const uniform: SoupOptions = { method: 'uniform', alpha: 0.5, metric: 'accuracy' };
const dev = async () => ({ name: 'test.csv', examples: (await readExamples(at('test.csv'), {})).examples });
const modelOf = (path: string) => weightsOf(join(path, 'model.onnx'));

async function accuracyOf(path: string): Promise<number> {
  const classifier = await loadClassifier(path);
  const found = await classifier.classify(rows.map(({ text }) => text));
  classifier.close();
  return found.filter(({ label }, i) => label === rows[i]!.label).length / rows.length;
}

before(async () => {
  folder = await makeWorkFolder();
  const options: TrainOptionsInput = {
    ...{ onnx: at('bert'), train: at('train.jsonl'), strategy: 'finetune', maxLength: 16 },
    ...{ lr: 5e-3, headLr: 5e-3, batchSize: 5, saveEvery: 'never' },
  };
  await train({ ...options, seed: 1, epochs: 12, output: at('one') });
  await train({ ...options, seed: 2, epochs: 3, output: at('two') });
  await train({ ...options, seed: 3, epochs: 12, output: at('three') });
  await train({ ...options, head: 'cls', epochs: 1, output: at('cls') });
});
after(() => rmSync(folder, { recursive: true }));

describe('a soup', () => {
  test('of all is the mean of their weights', async () => {
    await makeSoup(runs(), at('mean'), uniform);
    const each = await Promise.all(runs().map((run) => modelOf(join(run, 'model'))));
    for (const [name, values] of await modelOf(at('mean')))
      for (const [i, value] of values.entries()) {
        const mean = each.reduce((sum, weights) => sum + weights.get(name)![i]!, 0) / 3;
        assert.ok(Math.abs(value - mean) < 3e-7, `${name}[${i}]: ${value} and ${mean}`);
      }
  });

  test('made greedily has the best, and of the others those that do no harm', async () => {
    const found = await makeSoup(runs(), at('greedy'), { ...uniform, method: 'greedy', dev: await dev() });
    const alone = new Map(
      await Promise.all(runs().map(async (run) => [run, await accuracyOf(run)] as const)),
    );
    for (const [run, accuracy] of alone) assert.equal(found.alone!.get(run)!.accuracy, accuracy);

    // The same by hand, from soups of all.
    const order = [...found.alone!]
      .sort(([, a], [, b]) => b.accuracy! - a.accuracy! || a.loss - b.loss)
      .map(([run]) => run);
    let kept = [order[0]!];
    let best = alone.get(kept[0]!)!;
    for (const [i, run] of order.slice(1).entries()) {
      await makeSoup([...kept, run], at(`try-${i}`), uniform);
      const accuracy = await accuracyOf(at(`try-${i}`));
      if (accuracy >= best) [kept, best] = [[...kept, run], accuracy];
    }
    assert.deepEqual(found.ingredients, kept);
    assert.equal(found.dev!.accuracy, best);
    assert.equal(await accuracyOf(at('greedy')), best);
  });

  test('with the weights a run began with moves the body, not a new classifier', async () => {
    await makeSoup([at('one')], at('wise'), { ...uniform, method: 'wise', alpha: 0.25 });
    const [start, tuned, wise] = await Promise.all([
      modelOf(at('bert')),
      modelOf(at('one/model')),
      modelOf(at('wise')),
    ]);
    assert.deepEqual([...wise.keys()].sort(), [...tuned.keys()].sort());
    let moved = 0;
    for (const [name, values] of wise)
      for (const [i, value] of values.entries()) {
        const [from, to] = [start.get(name)?.[i], tuned.get(name)![i]!];
        const expected = from === undefined ? to : 0.75 * from + 0.25 * to;
        assert.ok(Math.abs(value - expected) < 3e-7, `${name}[${i}]: ${value} and ${expected}`);
        if (from === undefined) assert.match(name, /^classifier\./);
        else moved = Math.max(moved, Math.abs(to - from));
      }
    assert.ok(moved > 1e-3);
  });

  test('is refused of models that differ, naming the tensor', async () => {
    await assert.rejects(makeSoup([at('one'), at('cls')], at('never'), uniform), (error) => {
      assert.ok(error instanceof SesdError && error.code === 'SESD_BAD_MODEL');
      assert.match(
        error.message,
        /cls.*cannot be averaged: tensor .*pooler.* \[16(, 16)?\] is in the second only/,
      );
      return true;
    });
  });

  test('is made by the command, which says what it is made of', async () => {
    const call = (args: string) => sesdTrain(args.split(' '), { cwd: folder });
    const made = await call('soup one three --method greedy --dev test.csv --output soup');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^\+ one +[\d.]+ +[\d.]+$/m);
    assert.match(made.stdout, /^ {2}the soup +[\d.]+ +[\d.]+$/m);
    assert.match(made.stdout, /^Model: {3}soup$/m);
    assert.equal((await call('evaluate soup test.csv')).code, 0);

    for (const [args, message] of [
      ['soup one --output x', /--method uniform takes two models or more, found 1/],
      ['soup one two --method greedy --output x', /--method greedy needs examples.*--dev/],
      ['soup one two', /--output DIR/],
      ['soup one two --output soup', /--output soup exists/],
    ] as const) {
      const { code, stderr } = await call(args);
      assert.equal(code, 2, args);
      assert.match(stderr, message);
    }
  });
});
