import type { TrainOptions } from '../config/train-options.ts';
import type { Batch, Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights } from '../ensemble/weight-average.ts';
import type { Objective } from '../objective/objective.ts';

/**
 * A method of training: what the student learns from beside the labels, and which averages of its weights
 * are worth evaluating. Steps count from 1; update t turns θ_{t−1} into θ_t, and θ_0 is the student the
 * strategy was created with.
 */
export interface Strategy {
  readonly objective: Objective;
  /** Weights that are evaluated, and may be exported, beside the student's. */
  readonly average: { name: 'teacher' | 'se'; weights: Weights } | undefined;
  /**
   * Logits of the teacher of the step under way, [rows, classes], without dropout; `'student'` when they are
   * the student's own, undefined when the method has no teacher. Asked before the student's forward pass,
   * whose activations would otherwise stay in memory meanwhile.
   */
  teach(batch: Batch, signal?: AbortSignal): Promise<Float32Array | 'student' | undefined>;
  /** The student is θ_{step−1}, its gradients are complete. May be called again for a step that failed. */
  beforeUpdate(step: number): Promise<void>;
  /** The student is θ_step. */
  afterUpdate(step: number): Promise<void>;
  /** What a checkpoint has to hold to go on from the last completed step. */
  state(): StrategyState;
  restore(counters: StrategyState['counters'], load: LoadWeights): Promise<void>;
  release(): void;
}

export interface StrategyState {
  counters: Readonly<Record<string, number>>;
  sets: readonly NamedWeights[];
}

/** What a strategy may depend on. */
export type StrategyOptions = Pick<
  TrainOptions,
  'strategy' | 'window' | 'lambda' | 'distance' | 'poolIncludesStudent' | 'dropout'
>;

export type CreateStrategy = (engine: Engine, options: StrategyOptions) => Promise<Strategy>;
