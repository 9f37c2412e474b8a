import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { weightsOfClasses } from '../../src/train/class-weights.ts';

describe('class weights', () => {
  test("that are balanced are scikit-learn's n / (C · n_c), and 1 for a class that never occurs", () => {
    // sklearn.utils.class_weight.compute_class_weight('balanced', classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
    const weights = weightsOfClasses('balanced', ['a', 'b', 'c'], [0, 0, 0, 1, 1, 2]);
    assert.deepEqual([...weights], [6 / 9, 1, 2]);
    assert.deepEqual([...weightsOfClasses('balanced', ['a', 'b'], [0, 0])], [0.5, 1]);
  });

  test('by name are put in the order of the labels; a label that is not named weighs 1', () => {
    assert.deepEqual([...weightsOfClasses({ spam: 3 }, ['ham', 'spam'], [])], [1, 3]);
    assert.deepEqual([...weightsOfClasses({ b: 2 }, ['toString', 'b'], [])], [1, 2]);
  });

  test('of a label that is not there are refused with those that are', () => {
    assert.throws(() => weightsOfClasses({ spma: 3 }, ['ham', 'spam'], []), {
      code: 'SESD_USAGE',
      message: '--class-weights: no label is called "spma".',
      hint: 'Did you mean "spam"? The labels are "ham", "spam".',
    });
  });
});
