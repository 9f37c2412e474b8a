import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTrainingEngine } from '../../src/engine/backends/ort-training.ts';
import type { Averaging, Weights } from '../../src/engine/engine.ts';
import { prepareTiny } from '../bert/tiny-bert.ts';
import { sesdTrain } from '../cli/sesd-train.ts';
import { assertAlike, splitPass, trajectory, wholePass } from './distillation-steps.ts';
import { closing, flagsOfSession, ratesOfSession, testResumption } from './training-engines.ts';
import { findTrainingLibrary } from './training-library.ts';

const search = findTrainingLibrary();
const library = search.library ?? '';

describe('a whole step of a session of the training API', { skip: search.missing ?? false }, () => {
  const optimizers = {
    session: ratesOfSession,
    own: { ...ratesOfSession, weightDecay: 0.1, maxGradNorm: 0.5 },
  };
  const averagings: Record<string, (into: Weights, residual: Weights, step: number) => Averaging> = {
    'a moving average': (into) => ({ kind: 'blend', into, weight: 0.3 }),
    'a running mean': (into, residual, step) => ({ kind: 'running-mean', into, residual, count: step + 1 }),
    'a copy': (into) => ({ kind: 'copy', into }),
  };
  for (const [optimizer, rates] of Object.entries(optimizers)) {
    for (const [average, averaging] of Object.entries(averagings)) {
      for (const when of average === 'a copy' ? (['after'] as const) : (['before', 'after'] as const)) {
        test(`is the split one: ${optimizer} optimizer, ${average} ${when} the update`, async (t) => {
          const { plan } = await prepareTiny({ dropout: 0.2, freeze: 'embeddings' });
          const options = { threads: 2, library, rates };
          const [whole, split] = closing(t, [
            await createTrainingEngine(plan, { ...options, wholeStep: { teaches: true } }),
            await createTrainingEngine(plan, options),
          ] as const);
          const averages = (...all: Parameters<typeof averaging>) => ({ [when]: [averaging(...all)] });
          assertAlike(
            await trajectory(whole, wholePass, rates, averages),
            await trajectory(split, splitPass, rates, averages),
          );
        });
      }
    }
  }

  testResumption(library, {
    'whole steps': { flags: [...flagsOfSession, '--whole-step'], says: /ONNX Runtime's AdamW/ },
  });
});

test('a whole step is refused where the loss is another', async () => {
  const refused = async (flags: string[], message: RegExp) => {
    const { code, stderr } = await sesdTrain(['--whole-step', ...flags]);
    assert.equal(code, 2);
    assert.match(stderr, message);
  };
  await refused([], /--whole-step needs --backend ort-training/);
  await refused(
    ['--backend', 'ort-training', '--strategy', 'sdv'],
    /takes --strategy finetune, se, sda, ema, not sdv/,
  );
  await refused(['--backend', 'ort-training', '--distance', 'kl'], /takes --distance mse, not kl/);
});
