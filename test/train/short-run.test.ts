import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { defaultDistance } from '../../src/strategy/default-distance.ts';
import { describeShortRun } from '../../src/train/short-run.ts';

const said = (options: TrainOptionsInput, steps: number) =>
  describeShortRun(resolveTrainOptions(options), steps);

test('a short run by squared distance is told of the safer one', () => {
  const wanted = /^150 updates are few for a teacher: .*--distance kl was the safer/;
  assert.match(said({ strategy: 'sda' }, 150)!, wanted);
  assert.match(said({ distance: 'mse' }, 150)!, wanted);
});

test('where nothing of the method was named, the safer one is taken, and that is said', () => {
  assert.match(said({}, 150)!, /compared by --distance kl, .* in place of mse/);
  assert.equal(defaultDistance(150), 'kl');
  assert.equal(defaultDistance(151), 'mse');
});

test('a longer one, or one that does not distill so, is not', () => {
  assert.equal(said({}, 151), undefined);
  assert.equal(said({ distance: 'kl' }, 20), undefined);
  assert.equal(said({ strategy: 'finetune' }, 20), undefined);
  assert.equal(said({ problemType: 'regression' }, 20), undefined);
});
