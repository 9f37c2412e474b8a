import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberTarget } from '../../src/data/number-target.ts';

const labelled = (...labels: (string | undefined)[]) =>
  labels.map((label, i) => ({ text: '', ...(label !== undefined && { label }), line: i + 2 }));

test('labels of a regression are decimal numbers', () => {
  const found = numberTarget.encode(labelled('3', '-0.25', '+.5', '4.', '1e-3', '2E2'), 'train.csv');
  assert.deepEqual([...(found as Float64Array)], [3, -0.25, 0.5, 4, 0.001, 200]);
});

test('labels that are none are named with file and line', () => {
  for (const bad of ['good', '', '0x10', 'NaN', 'Infinity', '1e999', '1,5', '3 stars'])
    assert.throws(() => numberTarget.encode(labelled('1', bad), 'train.csv'), {
      code: 'SESD_BAD_DATA',
      message: `train.csv:3: the label ${JSON.stringify(bad)} is not a number`,
    });
  assert.throws(
    () => numberTarget.encode(labelled(undefined), 'dev.csv'),
    /dev\.csv:2: the label is missing/,
  );
});
