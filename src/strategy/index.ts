import type { TrainOptions } from '../config/train-options.ts';
import type { Engine } from '../engine/engine.ts';
import { createFinetune } from './finetune.ts';
import { createSda } from './sda.ts';
import type { CreateStrategy, Strategy, StrategyOptions } from './strategy.ts';

/** Every strategy by the name `--strategy` takes. */
const strategies: Record<TrainOptions['strategy'], CreateStrategy> = {
  finetune: createFinetune,
  sda: createSda,
};

/** The student's weights at this moment are θ_0. */
export function createStrategy(engine: Engine, options: StrategyOptions): Promise<Strategy> {
  return strategies[options.strategy](engine, options);
}
