import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BestWeights } from '../../src/train/best-weights.ts';
import { TinyEngine } from './tiny-engine.ts';

const summary = (accuracy: number, loss: number) => ({
  examples: 10,
  loss,
  accuracy,
  macroF1: 1 - accuracy,
  mcc: 0,
});

/** The steps of the offers that were taken. */
async function taken(
  metric: 'accuracy' | 'macro-f1' | 'loss',
  offers: [number, number][],
): Promise<number[]> {
  const engine = new TinyEngine();
  const best = new BestWeights(engine, metric);
  const steps: number[] = [];
  for (const [step, [accuracy, loss]] of offers.entries()) {
    const record = { step, model: 'student' as const, dev: summary(accuracy, loss) };
    if (await best.offer(engine.student, record)) steps.push(step);
  }
  return steps;
}

describe('the best weights', () => {
  test('are the first, until better ones come', async () => {
    assert.deepEqual(
      await taken('accuracy', [
        [0.5, 1],
        [0.6, 2],
        [0.55, 0.1],
        [0.7, 3],
      ]),
      [0, 1, 3],
    );
    assert.deepEqual(
      await taken('macro-f1', [
        [0.5, 1],
        [0.6, 2],
        [0.4, 3],
      ]),
      [0, 2],
    );
    assert.deepEqual(
      await taken('loss', [
        [0.5, 1],
        [0.6, 2],
        [0.4, 0.5],
      ]),
      [0, 2],
    );
  });

  test('of equal scores are those of the lower loss, then the earlier', async () => {
    assert.deepEqual(
      await taken('accuracy', [
        [0.5, 1],
        [0.5, 0.9],
        [0.5, 0.9],
        [0.5, 1.1],
      ]),
      [0, 1],
    );
  });

  test('are not those whose score is not a number', async () => {
    assert.deepEqual(
      await taken('loss', [
        [0.5, 1],
        [0.9, Number.NaN],
      ]),
      [0],
    );
  });
});
