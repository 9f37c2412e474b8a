import type { TrainOptions } from '../config/train-options.ts';

/** Updates up to which self-distillation by squared distance was seen to cost accuracy (docs/self-distillation.md). */
export const SHORT_RUN = 150;

/** The distance where nothing of the method was named. @param totalSteps updates of the run */
export function defaultDistance(totalSteps: number): NonNullable<TrainOptions['distance']> {
  return totalSteps <= SHORT_RUN ? 'kl' : 'mse';
}
