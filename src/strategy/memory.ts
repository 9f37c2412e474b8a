import { startOf } from './composition.ts';
import { poolOf } from './pool.ts';
import { drawsOfRDrop } from './r-drop.ts';
import type { StrategyContext, StrategyOptions } from './strategy.ts';

/** Sets of the model's weights a strategy comes to hold, by how they are stored. */
export interface HeldSets {
  memory: number;
  bf16: number;
  disk: number;
}

const runningMean: HeldSets = { memory: 1, bf16: 1, disk: 0 };

/** What the options of a run will hold at its end, the student itself not counted. */
export function heldSets(context: StrategyContext): HeldSets {
  const { strategy, average } = context.options;
  const ofStrategy = setsOf[strategy](context);
  return average === 'se' && strategy !== 'se' ? sum(ofStrategy, runningMean) : ofStrategy;
}

/** Rows that one example comes to take in a forward pass of the student. */
export function rowsPerExample({ strategy }: StrategyOptions): number {
  return strategy === 'r-drop' ? drawsOfRDrop : 1;
}

const none = (): HeldSets => ({ memory: 0, bf16: 0, disk: 0 });

const setsOf = {
  ...{ finetune: none, 'r-drop': none, avg: none, vote: none },
  sda: windowMean,
  sdv(context: StrategyContext): HeldSets {
    const { size, storage } = poolOf(context);
    // The engine runs no bfloat16 weights: they are widened into one more set, one after the other.
    return stored(context, size, storage === 'bf16' ? 1 : 0);
  },
  se: windowMean,
  ema: () => ({ memory: 1, bf16: 0, disk: 0 }),
} as const;

function windowMean(context: StrategyContext): HeldSets {
  const { size } = poolOf(context);
  return Number.isFinite(size) ? stored(context, size - 1, 1) : runningMean;
}

/** So many snapshots, or as many as the run makes students, and sets in memory beside them. */
function stored(context: StrategyContext, snapshots: number, memory: number): HeldSets {
  const { options, totalSteps } = context;
  const students = Math.floor((totalSteps - startOf(context)) / options.poolEvery) + 1;
  const sets = { memory, bf16: 0, disk: 0 };
  sets[options.poolStorage] += Math.min(snapshots, students);
  return sets;
}

function sum(a: HeldSets, b: HeldSets): HeldSets {
  return { memory: a.memory + b.memory, bf16: a.bf16 + b.bf16, disk: a.disk + b.disk };
}
