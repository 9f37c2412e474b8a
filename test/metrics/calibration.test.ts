import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calibrationError } from '../../src/metrics/calibration.ts';

describe('the expected calibration error', () => {
  test('puts an edge into the bin below it', () => {
    // 1/3 = 5/15 ends bin 5; a little more begins bin 6, where the surpluses no longer cancel.
    assert.equal(
      calibrationError([1 / 3, 1 / 3 - 0.01, 1 / 3], [1, 0, 0]).toFixed(12),
      (0.01 / 3).toFixed(12),
    );
    const apart = calibrationError([1 / 3, 1 / 3 + 1e-9], [1, 0]);
    assert.ok(Math.abs(apart - (2 / 3 + 1 / 3) / 2) < 1e-9);
  });

  test('is 0 of confident right predictions, 1 of confident wrong ones', () => {
    assert.equal(calibrationError([1, 1], [1, 1]), 0);
    assert.equal(calibrationError([1, 1], [0, 0]), 1);
    assert.equal(calibrationError([1], [1]), 0);
  });

  test('is not a number where a confidence is not', () => {
    assert.ok(Number.isNaN(calibrationError([0.5, Number.NaN], [1, 1])));
  });
});
