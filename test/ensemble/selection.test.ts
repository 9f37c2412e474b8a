import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../src/ensemble/selection.ts';

test('all are chosen while they are no more than asked for', () => {
  for (const how of ['recent', 'best', 'spaced'] as const)
    assert.deepEqual(choose([3, 1, 2], 3, how), [0, 1, 2]);
});

test('recent takes the newest, best those of the lowest score, of equal ones the newer', () => {
  const scores = [1, 5, 2, 2, 9];
  assert.deepEqual(choose(scores, 2, 'recent'), [3, 4]);
  assert.deepEqual(choose(scores, 1, 'best'), [0]);
  assert.deepEqual(choose(scores, 2, 'best'), [0, 3]);
  assert.deepEqual(choose(scores, 3, 'best'), [0, 2, 3]);
});

test('spaced takes the oldest, the newest and what lies evenly between', () => {
  const held = (count: number) => new Array<number>(count).fill(0);
  assert.deepEqual(choose(held(9), 3, 'spaced'), [0, 4, 8]);
  assert.deepEqual(choose(held(10), 4, 'spaced'), [0, 3, 6, 9]);
  assert.deepEqual(choose(held(6), 4, 'spaced'), [0, 2, 3, 5], 'halves are rounded up');
  assert.deepEqual(choose(held(6), 1, 'spaced'), [5]);
  for (let count = 2; count < 40; count++)
    for (let k = 2; k < count; k++) assert.equal(new Set(choose(held(count), k, 'spaced')).size, k);
});
