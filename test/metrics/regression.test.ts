import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateValues, spearman } from '../../src/metrics/regression.ts';
import { assertClose, cases } from './golden.ts';

for (const [index, { predictions, targets, expected }] of cases<{ predictions: number[]; targets: number[] }>(
  'regression',
).entries()) {
  test(`SciPy's and scikit-learn's metrics, case ${index}`, () => {
    assertClose(evaluateValues(predictions, targets), expected, 'metrics');
  });
}

test('correlations stay within −1 and 1, and in the range of doubles', () => {
  const values = [0.1, 0.2, 0.3, 0.7];
  assert.equal(evaluateValues(values, values).pearson, 1);
  const large = values.map((value) => value * 1e150);
  assert.equal(evaluateValues(large, values).pearson.toFixed(12), '1.000000000000');
  assert.equal(spearman([1, 2, 3], [30, 20, 10]).toFixed(12), '-1.000000000000');
});

test('predictions that are not finite show', () => {
  const metrics = evaluateValues([1, Number.NaN, 3], [1, 2, 3]);
  for (const name of ['loss', 'mae', 'pearson', 'spearman'] as const)
    assert.ok(Number.isNaN(metrics[name]), name);
});

test('sizes that do not agree', () => {
  assert.throws(() => evaluateValues([1], [1, 2]), RangeError);
  assert.throws(() => evaluateValues([], []), RangeError);
});
