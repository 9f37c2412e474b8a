import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { describeEarlyCosine } from '../../src/train/early-cosine.ts';

const said = (options: TrainOptionsInput) => describeEarlyCosine(resolveTrainOptions(options));

test('cosine from the first step is told of', () => {
  assert.match(
    said({ distance: 'cosine' })!,
    /--distance cosine from the first step .*--teacher-start 0\.25/,
  );
  assert.match(said({ strategy: 'ema', distance: 'cosine' })!, /cosine/);
});

test('a later teacher, and another distance, are not', () => {
  assert.equal(said({ distance: 'cosine', teacherStart: 0.25 }), undefined);
  assert.equal(said({ distance: 'kl' }), undefined);
  assert.equal(said({}), undefined);
});
