import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argmax, evaluateLogits, softmax } from '../../src/metrics/classification.ts';
import { assertClose, cases } from './golden.ts';

interface Input {
  classes: number;
  logits: number[];
  labels: number[];
}

for (const [index, { classes, logits, labels, expected }] of cases<Input>('classification').entries()) {
  test(`scikit-learn's metrics, case ${index}`, () => {
    assertClose(evaluateLogits(Float32Array.from(logits), classes, labels), expected, 'metrics');
  });
}

test('the first of equal logits is the prediction', () => {
  assert.equal(argmax([1, 3, 3]), 1);
  assert.deepEqual(evaluateLogits(new Float32Array(4), 2, [1, 0]).confusion, [
    [1, 0],
    [1, 0],
  ]);
});

test('a loss that is not finite shows', () => {
  assert.ok(Number.isNaN(evaluateLogits(Float32Array.of(Number.NaN, 0), 2, [1]).loss));
});

test('softmax of large logits', () => {
  const p = softmax(Float32Array.of(1000, 1000, -1000, 0, Math.log(3), Math.log(4)), 3);
  assert.deepEqual(
    [...p].map((value) => Number(value.toFixed(6))),
    [0.5, 0.5, 0, 0.125, 0.375, 0.5],
  );
});

test('sizes that do not agree, and labels that are no class', () => {
  assert.throws(() => evaluateLogits(new Float32Array(5), 2, [0, 1]), RangeError);
  assert.throws(() => evaluateLogits(new Float32Array(0), 2, []), RangeError);
  assert.throws(() => evaluateLogits(new Float32Array(4), 2, [0, -1]), /label -1 of example 1/);
  assert.throws(() => evaluateLogits(new Float32Array(4), 2, [0, 2]), RangeError);
});
