import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dropoutKey } from '../../src/train/random.ts';
import { learningRateFactor, planSteps } from '../../src/train/schedule.ts';

describe('the schedule', () => {
  test('rises over the first tenth and falls towards zero', () => {
    const factors = Array.from({ length: 20 }, (_, i) => learningRateFactor(i + 1, 20, 0.1));
    assert.deepEqual(factors.slice(0, 4), [0, 0.5, 1, 17 / 18]);
    assert.equal(factors.at(-1), 1 / 18);
    assert.equal(learningRateFactor(21, 20, 0.1), 0);
  });

  test('starts at its peak without warm-up, and may be all warm-up', () => {
    assert.equal(learningRateFactor(1, 5, 0), 1);
    assert.equal(learningRateFactor(5, 5, 0), 1 / 5);
    assert.deepEqual(
      [1, 2, 4].map((step) => learningRateFactor(step, 4, 1)),
      [0, 1 / 4, 3 / 4],
    );
    assert.equal(learningRateFactor(1, 1, 0.5), 1, 'floor(0.5) = 0 updates of warm-up');
  });

  test('counts updates, the last one of an epoch being what is left', () => {
    const run = { examples: 100, batchSize: 8, accumulate: 2, epochs: 3 };
    assert.deepEqual(planSteps(run), { perEpoch: 7, total: 21 });
    assert.deepEqual(planSteps({ ...run, maxSteps: 40 }), { perEpoch: 7, total: 40 });
    assert.deepEqual(planSteps({ ...run, examples: 96 }), { perEpoch: 6, total: 18 });
  });
});

describe('dropout keys', () => {
  test('are pairs of 32-bit numbers, another for every seed, step and micro-batch', () => {
    const keys = new Set<string>();
    for (const seed of [0, 1, 42, 2 ** 32 - 1])
      for (let step = 1; step <= 200; step++)
        for (let micro = 0; micro < 4; micro++) {
          const key = dropoutKey(seed, step, micro);
          for (const word of key) assert.ok(Number.isInteger(word) && word >= 0 && word < 2 ** 32);
          keys.add(key.join());
        }
    assert.equal(keys.size, 4 * 200 * 4);
  });

  test('depend on nothing else', () => {
    assert.deepEqual(dropoutKey(42, 7, 1), dropoutKey(42, 7, 1));
  });

  test('of neighbouring steps have half their bits in common', () => {
    let same = 0;
    for (let step = 1; step <= 500; step++) {
      const [a, b] = [dropoutKey(3, step, 0), dropoutKey(3, step + 1, 0)];
      for (const word of [0, 1])
        for (let bit = 0; bit < 32; bit++) same += ((a[word]! ^ b[word]!) >>> bit) & 1 ? 0 : 1;
    }
    assert.ok(Math.abs(same / (500 * 64) - 0.5) < 0.02, `${same / (500 * 64)}`);
  });
});
