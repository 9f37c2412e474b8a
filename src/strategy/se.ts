import type { WeightAverage } from '../ensemble/ensemble.ts';
import { RunningMean } from '../ensemble/running-mean.ts';
import { type CreateParts, type Member, type Parts, startOf } from './composition.ts';
import { poolMean } from './pool.ts';
import type { StrategyContext } from './strategy.ts';

/**
 * Self-ensemble (BERT_SE of arXiv 2002.10345): plain fine-tuning; what counts in the end is the mean of the students
 * θ_1..θ_T. Of the tail only with `--teacher-start` (SWA: Izmailov et al. 2018), of the newest K checkpoints with `--window` and
 * `--pool-every` (LAWA: Kaddour 2022).
 */
export const se: CreateParts = async (context) => {
  const average = await poolMean(context);
  return { members: [memberOf(context, average)], se: average, exported: 'average' };
};

/** The average of se for a student of another strategy: of all students from `--teacher-start` on. */
export async function withSelfEnsemble(context: StrategyContext, parts: Parts): Promise<Parts> {
  const average = await RunningMean.create(context.engine);
  return { ...parts, members: [...parts.members, memberOf(context, average)], se: average };
}

function memberOf(context: StrategyContext, ensemble: WeightAverage): Member {
  const { poolEvery } = context.options;
  const intake = { start: startOf(context), every: poolEvery, initial: false, current: true };
  return { name: 'se', ensemble, intake };
}
