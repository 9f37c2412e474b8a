import type { TrainOptions } from '../config/train-options.ts';

/** Updates up to which self-distillation by squared distance was seen to bring nothing (docs/self-distillation.md). */
const short = 150;

/**
 * What to tell the user of a run in which the teacher hardly has the time to become better than the student; undefined
 * where there is nothing to say.
 */
export function describeShortRun(
  { strategy, distance, problemType }: TrainOptions,
  totalSteps: number,
): string | undefined {
  if (strategy !== 'sda' || distance !== 'mse' || problemType !== 'classification' || totalSteps > short)
    return undefined;
  return (
    `${totalSteps} updates are few for a teacher: in runs this short --distance kl was the safer choice, and ` +
    '--strategy finetune is as good and faster.'
  );
}
