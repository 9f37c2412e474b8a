import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError } from '../../src/errors.ts';
import { CheckpointStore } from '../../src/train/checkpoint.ts';
import { planMemory } from '../../src/train/plan-memory.ts';
import { classification } from '../../src/train/problem.ts';
import { TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFolder } from './tiny-run.ts';

/** The tiny model's weights take 236 bytes. */
function plan(
  options: TrainOptionsInput,
  { dev = false, rows = 0, device = 'cpu' as 'cpu' | 'cuda' } = {},
): Promise<string> {
  const engine = new TinyEngine(rows > 0 ? { fixed: { rows, length: 8 } } : {});
  const folder = join(tinyFolder(), 'not', 'made', 'yet');
  const run = {
    engine,
    options: resolveTrainOptions(options),
    problem: classification({ names: ['a', 'b', 'c'] } as never),
    train: tinyExamples(18),
    ...(dev && { dev: tinyExamples(9) }),
    padId: 0,
    modelDigest: 'tiny',
    folder,
    checkpoints: new CheckpointStore(folder, engine.parameters, { keep: 1 }),
    emit: () => {},
  };
  return planMemory(run, device);
}

test('says what weights and averages take', async () => {
  assert.equal(await plan({ strategy: 'finetune' }), 'Memory: 944 bytes for weights, gradients and moments.');
  assert.equal(
    await plan({ strategy: 'sda', accumulate: 2, batchSize: 2 }, { dev: true }),
    'Memory: 1.18 kB for weights, gradients and moments, 354 bytes for the averages of sda, 236 bytes for the best weights.',
  );
  assert.match(await plan({ strategy: 'finetune', backend: 'ort-training' }), /1\.65 kB for weights/);
  assert.equal(
    await plan({ strategy: 'sda', window: 4, poolStorage: 'disk', maxSteps: 20 }),
    'Memory: 944 bytes for weights, gradients and moments, 236 bytes for the averages of sda, 708 bytes on disk for past students.',
  );
});

test('counts the gradients apart where the rows of a model do not hold the batch', async () => {
  const weights = (strategy: 'finetune' | 'r-drop', rows: number) =>
    plan({ strategy, batchSize: 3 }, { rows });
  assert.match(await weights('finetune', 3), /^Memory: 944 bytes for weights/);
  assert.match(await weights('finetune', 2), /^Memory: 1\.18 kB for weights/);
  assert.match(await weights('r-drop', 6), /^Memory: 944 bytes for weights/);
  assert.match(await weights('r-drop', 5), /^Memory: 1\.18 kB for weights/);
  await assert.rejects(
    plan({ strategy: 'r-drop' }, { rows: 1 }),
    /r-drop needs 2 rows .* the model takes 1\./,
  );
});

test('refuses what does not fit, and says what would', async () => {
  const refused = (options: TrainOptionsInput, message: RegExp) =>
    assert.rejects(plan(options), (error: SesdError) => {
      assert.ok(error instanceof SesdError, String(error));
      assert.deepEqual([error.code, error.exitCode], ['SESD_USAGE', 2]);
      assert.match(error.message, message);
      assert.match(error.hint!, /--pool-storage bf16 or disk, or --strategy sda --window all/);
      return true;
    });
  const endless = { window: 'all', maxSteps: 1e12, strategy: 'sdv' } as const;
  await refused(endless, /--strategy sdv --window all needs 236 TB for .*; [\d.]+ GB of memory are free/);
  await refused(
    { ...endless, poolStorage: 'disk' },
    /--strategy sdv --window all --pool-storage disk needs 236 TB in .*; [\d.]+ [GT]B are free/,
  );
});

test('the weights of a GPU are not held against the memory of the host', async () => {
  const large = { strategy: 'sda', window: 10 ** 13, maxSteps: 10 ** 14 } as const;
  await assert.rejects(plan(large), /memory are free/);
  assert.match(await plan(large, { device: 'cuda' }), /^GPU memory: 944 bytes for weights/);
});
