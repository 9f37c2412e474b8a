import type { Batch } from '../engine/engine.ts';
import type { WeightAverage } from '../ensemble/ensemble.ts';
import { type CreateParts, meanOf, type Teacher } from './composition.ts';
import { poolIntake, poolMean, poolOf } from './pool.ts';
import type { StrategyContext } from './strategy.ts';

/**
 * Self-distillation with averaged weights (BERT_SDA of arXiv 2002.10345): the teacher is the model at the
 * mean of past students, θ̄ = 1/K · Σ_{k=1..K} θ_{t−k} with θ_t the student of the step: at step t of θ_0..θ_{t−2}, and of θ_0
 * alone at t = 1; with `--pool-includes-student` of θ_0..θ_{t−1}.
 */
export const sda: CreateParts = async (context) => {
  const intake = poolIntake(context);
  if (intake.current && intake.every === 1 && poolOf(context).size === 1) {
    return { teacher: studentAsTeacher(context), members: [] };
  }
  const ensemble = await poolMean(context);
  return { teacher: averageAsTeacher(context, ensemble), members: [{ name: 'pool', ensemble, intake }] };
};

/** The model at an average of weights. */
export function averageAsTeacher({ engine }: StrategyContext, average: WeightAverage): Teacher {
  return {
    teach: async (batch, signal) => (await engine.infer(average.mean, batch, signal)).data,
    get weights() {
      return meanOf(average);
    },
  };
}

/** K = 1 with the current student in the pool: the teacher is the student without dropout, and needs no copy. */
function studentAsTeacher({ engine, options }: StrategyContext): Teacher {
  return {
    async teach(batch: Batch, signal?: AbortSignal) {
      return options.dropout === 0 ? 'student' : (await engine.infer(engine.student, batch, signal)).data;
    },
    weights: engine.student,
  };
}
