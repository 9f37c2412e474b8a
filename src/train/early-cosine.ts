import type { TrainOptions } from '../config/train-options.ts';

const withTeacher: ReadonlySet<TrainOptions['strategy']> = new Set(['sda', 'sdv', 'ema']);

/**
 * What to tell the user of a run that compares logits by direction from the first step on, when neither student nor teacher
 * has any: see "Why cosine fails" in docs/self-distillation.md. Undefined where there is nothing to say.
 */
export function describeEarlyCosine({ strategy, distance, teacherStart }: TrainOptions): string | undefined {
  if (distance !== 'cosine' || teacherStart !== 1 || !withTeacher.has(strategy)) return undefined;
  return (
    '--distance cosine from the first step holds the student to the direction of a classifier that has learnt nothing, and ' +
    'many runs never leave it: add --teacher-start 0.25, or take --distance symmetric-kl.'
  );
}
