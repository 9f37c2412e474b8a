import type { TrainOptions } from '../config/train-options.ts';
import { type CreateParts, compose } from './composition.ts';
import { ema } from './ema.ts';
import { finetune } from './finetune.ts';
import { rDrop } from './r-drop.ts';
import { sda } from './sda.ts';
import { sdv } from './sdv.ts';
import { se, withSelfEnsemble } from './se.ts';
import type { Strategy, StrategyContext } from './strategy.ts';

/** Every strategy of one run, by the name `--strategy` takes. */
const strategies: Record<TrainOptions['strategy'], CreateParts> = {
  ...{ finetune, sda, sdv, se, ema, 'r-drop': rDrop },
  // Each of their runs is plain fine-tuning; what is made of the runs is train/runs.ts's.
  ...{ avg: finetune, vote: finetune },
};

/**
 * The student's weights at this moment are θ_0.
 * @throws SesdError SESD_USAGE when the options ask for what the strategy or the run's length cannot give
 */
export async function createStrategy(context: StrategyContext): Promise<Strategy> {
  const { options } = context;
  const parts = await strategies[options.strategy](context);
  const wantsSe = options.average === 'se' && !parts.se;
  return compose(context, wantsSe ? await withSelfEnsemble(context, parts) : parts);
}
