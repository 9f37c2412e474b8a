import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pairedTTest, standardDeviation, twoSidedP } from '../../src/reproduce/statistics.ts';

const near = (found: number, expected: number, relative = 1e-10) =>
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${found}, expected ${expected}`);

describe("Student's t-test, against scipy 1.x", () => {
  test('of pairs is ttest_rel', () => {
    for (const [a, b, t, p] of [
      [[1, 2, 3, 4, 5], [1.5, 2.1, 3.9, 4.2, 5.05], -2.2135943621178655, 0.0912602444439858],
      [[0.801, 0.799, 0.812], [0.79, 0.8, 0.795], 1.7008401285415224, 0.2310781080549152],
      [[5.0, 6.1, 7.2, 5.5], [5.0, 6.1, 7.0, 5.9], -0.39735970711951313, 0.7176856442107858],
    ] as const) {
      const found = pairedTTest(a, b);
      near(found.t, t);
      near(found.p, p);
    }
  });

  test('has the tails of 2·t.sf', () => {
    for (const [t, degrees, p] of [
      [0.5, 1, 0.7048327646991335],
      [2, 4, 0.11611652351681556],
      [12.7, 2, 0.006142941599595777],
      [30, 9, 2.4837047041582635e-10],
      [1e-3, 5, 0.9992407867721976],
      [3.3, 200, 0.0011447226651288877],
    ] as const)
      near(twoSidedP(t, degrees), p);
  });

  test('is undefined of one pair, and of pairs that all differ by the same', () => {
    assert.deepEqual(pairedTTest([1], [2]), { t: Number.NaN, p: Number.NaN });
    assert.deepEqual(pairedTTest([1, 2], [1, 2]), { t: Number.NaN, p: Number.NaN });
  });

  test('has the deviation of a sample', () => {
    near(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
  });
});
