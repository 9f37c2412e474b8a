import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRuns, type StepRecord } from './compare-runs.ts';

const tolerance = { relative: 1e-3, floor: 1e-9 };
const step = (changes: Partial<StepRecord> = {}): StepRecord => ({
  step: 1,
  loss: 1.5,
  ce: 1.4,
  distill: 0.1,
  gradNorm: 2,
  lr: 1e-4,
  examples: 8,
  tokens: 90,
  ...changes,
});

test('runs within the tolerance agree', () => {
  const { differences, worst } = compareRuns([step()], [step({ loss: 1.5009 })], tolerance);
  assert.deepEqual(differences, []);
  assert.ok(Math.abs(worst.loss - 6e-4) < 1e-9);
});

test('a value beyond the tolerance, a missing one and one that is not a number are differences', () => {
  for (const changes of [{ gradNorm: 2.003 }, { distill: Number.NaN }, { tokens: 91 }, { lr: 0 }]) {
    assert.equal(compareRuns([step()], [step(changes)], tolerance).differences.length, 1);
  }
  const { ce: _, ...without } = step();
  assert.equal(compareRuns([step()], [without as StepRecord], tolerance).differences.length, 1);
});

test('noise around an exact zero is none, a value is', () => {
  const zero = step({ distill: 0 });
  assert.deepEqual(compareRuns([zero], [step({ distill: 3e-13 })], tolerance).differences, []);
  assert.equal(compareRuns([zero], [step({ distill: 3e-8 })], tolerance).differences.length, 1);
});

test('a run of another length is a difference', () => {
  assert.equal(compareRuns([step(), step({ step: 2 })], [step()], tolerance).differences.length, 1);
  assert.equal(compareRuns([step()], [step(), step({ step: 2 })], tolerance).differences.length, 1);
});
