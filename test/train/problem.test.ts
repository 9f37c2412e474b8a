import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { regression, stateProblem } from '../../src/train/problem.ts';

const examples = ['b', 'a', 'b', 'b'].map((label, i) => ({ text: '', label, line: i + 1 }));
const state = (options: TrainOptionsInput, id2label?: Record<string, string>) =>
  stateProblem(
    resolveTrainOptions(options),
    { config: id2label && { id2label } },
    { name: 'train.csv', examples },
  );

describe('the problem of a run', () => {
  test('has the labels of the model where the data uses them, else those of the data', () => {
    assert.deepEqual(state({}).target.names, ['a', 'b']);
    assert.deepEqual(state({}, { 0: 'b', 1: 'a' }).target.names, ['b', 'a']);
  });

  test('takes the classes in the order the data names them', () => {
    const train = { name: 'train.parquet', examples, classNames: ['b', 'c', 'a'] };
    const { target } = stateProblem(resolveTrainOptions({}), { config: undefined }, train);
    assert.deepEqual(target.names, ['b', 'c', 'a']);
  });

  test('weighs the classes in the order of its labels', () => {
    const { loss } = state({ classWeights: { a: 5 } });
    const at = (label: number) => loss(Float32Array.of(0, 0), [label], 2, new Float64Array(2));
    assert.deepEqual([at(0), at(1)], [5 * Math.LN2, Math.LN2]);
    const balanced = state({ classWeights: 'balanced' }).loss;
    assert.equal(balanced(Float32Array.of(0, 0), [1], 2, new Float64Array(2)), (4 / 6) * Math.LN2);
  });

  test('of a regression is one number, by the mean squared error', () => {
    assert.deepEqual(regression.target.names, ['LABEL_0']);
    const dlogits = new Float64Array(2);
    assert.equal(regression.loss(Float32Array.of(1, 3), [0.5, 3], 1, dlogits), 0.125);
    assert.deepEqual([...dlogits], [0.5, 0]);
  });
});
