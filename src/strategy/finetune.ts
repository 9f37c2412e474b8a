import type { Engine } from '../engine/engine.ts';
import { distillationObjective } from '../objective/distillation.ts';
import type { Strategy, StrategyOptions } from './strategy.ts';

/** Plain fine-tuning: cross-entropy with the labels, no teacher and no averages. */
export async function createFinetune(_engine: Engine, options: StrategyOptions): Promise<Strategy> {
  return {
    objective: distillationObjective(options),
    average: undefined,
    teach: async () => undefined,
    beforeUpdate: async () => {},
    afterUpdate: async () => {},
    state: () => ({ counters: {}, sets: [] }),
    restore: async () => {},
    release: () => {},
  };
}
