import type { Averaging, Weights } from '../engine/engine.ts';

export interface NamedWeights {
  name: string;
  weights: Weights;
}

/** Fills a set of weights with what was stored under a name. */
export type LoadWeights = (name: string, into: Weights) => Promise<void>;

/** What a checkpoint holds of an ensemble beside weights. */
export interface EnsembleState {
  /** Students taken in. */
  count: number;
  /** Scores of the students held, oldest first. */
  scores?: readonly number[];
}

/**
 * What is kept of the students of past steps, in the engine's memory. Students are taken in as their weights go by:
 * `next` says what to do with them on that occasion, `taken` that it was done.
 */
export interface Ensemble {
  /** Students taken in so far. */
  readonly count: number;
  /** What takes in the student, which is the engine's as it is now or becomes in the update under way. */
  next(): Promise<Averaging[]>;
  taken(): void;
  /** What a checkpoint has to hold. */
  state(): EnsembleState;
  sets(): NamedWeights[];
  /** Takes up what `state` and `sets` held. */
  restore(state: EnsembleState, load: LoadWeights): Promise<void>;
  release(): void;
}

/** An average of the students. */
export interface WeightAverage extends Ensemble {
  /** Of use once a student is in; changes as further ones are taken in. */
  readonly mean: Weights;
}
