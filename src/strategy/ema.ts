import { MovingAverage } from '../ensemble/moving-average.ts';
import { type CreateParts, startOf } from './composition.ts';
import { averageAsTeacher } from './sda.ts';

/**
 * Self-distillation from an exponential moving average of the student, which takes in θ_t right after update t (mean
 * teacher: Tarvainen and Valpola 2017, arXiv 1703.01780, with labels for all examples).
 */
export const ema: CreateParts = async (context) => {
  const average = await MovingAverage.create(context.engine, context.options.emaDecay);
  const intake = { start: startOf(context), every: 1, initial: true, current: true };
  return {
    teacher: averageAsTeacher(context, average),
    members: [{ name: 'ema', ensemble: average, intake }],
  };
};
