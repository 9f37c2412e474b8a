import type { Weights } from '../engine/engine.ts';

export interface NamedWeights {
  name: string;
  weights: Weights;
}

/** Fills a set of weights with what was stored under a name. */
export type LoadWeights = (name: string, into: Weights) => Promise<void>;

/** An average of the students of past steps, kept in the engine's memory. */
export interface WeightAverage {
  /** Students taken in so far. */
  readonly count: number;
  /** Their average. Changes with the next push. */
  readonly mean: Weights;
  push(student: Weights): Promise<void>;
  /** What a checkpoint has to hold, beside `count`. */
  sets(): NamedWeights[];
  /** Takes up what `sets` held when `count` was `count`. */
  restore(count: number, load: LoadWeights): Promise<void>;
  release(): void;
}
