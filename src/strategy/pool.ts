import type { WeightAverage } from '../ensemble/ensemble.ts';
import type { IntakeOptions } from '../ensemble/intake.ts';
import type { PoolOptions } from '../ensemble/pool.ts';
import { RunningMean } from '../ensemble/running-mean.ts';
import { WindowMean } from '../ensemble/window-mean.ts';
import { SesdError } from '../errors.ts';
import { startOf } from './composition.ts';
import type { StrategyContext } from './strategy.ts';

/** The pool of past students the flags describe; its size is infinite where it holds all of them. */
export function poolOf({ options, folder, devLoss }: StrategyContext): PoolOptions {
  const { window, poolSize, poolSelect, poolStorage } = options;
  const size = poolSize ?? (window === 'all' ? Number.POSITIVE_INFINITY : window);
  if (poolSelect === 'best' && !devLoss) {
    throw new SesdError('SESD_USAGE', '--pool-select best chooses students by their loss on dev.', {
      hint: 'Name examples with --dev FILE, set some aside with --dev 0.1, or use --pool-select spaced.',
    });
  }
  return {
    size,
    window: window === 'all' ? size : window,
    select: poolSelect,
    storage: poolStorage === 'disk' ? { folder } : poolStorage,
    ...(poolSelect === 'best' && devLoss && { score: devLoss }),
  };
}

/** The mean of the students a pool would hold, which are kept only where some of them are forgotten. */
export function poolMean(context: StrategyContext): Promise<WeightAverage> {
  const pool = poolOf(context);
  return Number.isFinite(pool.size)
    ? WindowMean.create(context.engine, pool)
    : RunningMean.create(context.engine);
}

/** θ_{S−1} and every N-th student after it, once it is a past one; with the current one if the flags say so. */
export function poolIntake(context: StrategyContext): IntakeOptions {
  const { poolEvery, poolIncludesStudent } = context.options;
  return { start: startOf(context), every: poolEvery, initial: true, current: poolIncludesStudent };
}
