import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoreColumns } from '../../src/cli/scores.ts';

test('the metric that was chosen has a column, once', () => {
  const scores = { examples: 4, loss: 0.5, accuracy: 0.75, macroF1: 0.7, mcc: 0.25 };
  const byMcc = scoreColumns('classification', 'mcc');
  assert.deepEqual(byMcc.headings, ['accuracy', 'macro F1', 'loss', 'mcc']);
  assert.deepEqual(byMcc.cells(scores), ['75.0 %', '0.700', '0.500', '0.250']);
  assert.deepEqual(scoreColumns('classification', 'loss').headings, ['accuracy', 'macro F1', 'loss']);
});
