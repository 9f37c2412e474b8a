import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLikelyRegression } from '../../src/train/likely-regression.ts';

const classification = { problemType: 'classification' } as const;
const scale = Array.from({ length: 11 }, (_, i) => String(i / 2));

test('a classification with the model or the labels of a regression is told of --problem-type', () => {
  const said = describeLikelyRegression(classification, { problem_type: 'regression' }, ['0', '1']);
  assert.match(said ?? '', /config\.json .*2 labels.*--problem-type regression/);
  assert.match(describeLikelyRegression(classification, undefined, scale) ?? '', /All 11 labels are numbers/);
});

test('nothing is said of names, of whole numbers, of few labels, and of a regression', () => {
  const names = [scale.map((label) => `v${label}`), scale.map((_, i) => String(i)), scale.slice(0, 5)];
  for (const labels of names) {
    assert.equal(describeLikelyRegression(classification, {}, labels), undefined);
  }
  assert.equal(
    describeLikelyRegression({ problemType: 'regression' }, { problem_type: 'regression' }, scale),
    undefined,
  );
});
