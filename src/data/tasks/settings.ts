import type { TrainOptions, TrainOptionsInput } from '../../config/train-options.ts';
import type { Task } from './task.ts';

/** What the paper states for every dataset. Its 4 accumulated batches of 4 are one batch of 16. */
const paper: TrainOptionsInput = {
  batchSize: 16,
  accumulate: 1,
  lr: 2e-5,
  headLr: 1e-3,
  warmup: 0.1,
  dropout: 0.1,
  lambda: 1,
};

/** Text classification: the first 512 tokens. The paper gives the epochs of IMDb alone; 3 are our choice. */
export const longTexts: TrainOptionsInput = { ...paper, maxLength: 512, truncate: 'head', epochs: 3 };

/** Sentences and pairs. The paper gives neither length nor epochs; these are BERT's own for GLUE. */
export const sentences: TrainOptionsInput = { ...paper, maxLength: 128, epochs: 3 };

/** A task's settings for a strategy: the window is that of a teacher, not the part of a run that `se` averages. */
export function settingsFor(
  { settings, teacherWindow }: Task,
  strategy: TrainOptions['strategy'],
): TrainOptionsInput {
  const teaches = strategy === 'sda' || strategy === 'sdv';
  return teaches && teacherWindow !== undefined ? { ...settings, window: teacherWindow } : settings;
}
