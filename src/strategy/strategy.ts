import type { TrainOptions } from '../config/train-options.ts';
import type { Averaging, Batch, Engine, Weights } from '../engine/engine.ts';
import type { EnsembleState, LoadWeights, NamedWeights } from '../ensemble/ensemble.ts';
import type { LabelLoss, Objective } from '../objective/objective.ts';

/**
 * A method of training: what the student learns from beside the labels, and which averages of its weights
 * are worth evaluating. Steps count from 1; update t turns θ_{t−1} into θ_t, and θ_0 is the student the
 * strategy was created with.
 */
export interface Strategy {
  /** Weights that are evaluated, and may be exported, beside the student's; undefined where there are none (yet). */
  readonly average: { name: AverageName; weights: Weights } | undefined;
  /** What is exported when the user leaves the choice: the better of student and average, or the average. */
  readonly exported: 'better' | 'average';
  /** The loss of the step. */
  objective(step: number): Objective;
  /**
   * How often the student sees each example of the step, each time with dropout of its own: in one batch, whose rows are the
   * examples in their order, so many times over. These are also the rows of the objective.
   */
  draws(step: number): number;
  /** The student is θ_{step−1}; called before the step's first pass. */
  begin(step: number): Promise<void>;
  /**
   * Logits of the teacher of the step under way, [rows, classes], without dropout; `'student'` when they are
   * the student's own, undefined when there is no teacher. Asked before the student's forward pass, whose
   * activations would otherwise stay in memory meanwhile.
   */
  teach(step: number, batch: Batch, signal?: AbortSignal): Promise<Float32Array | 'student' | undefined>;
  /** Beside the labels, what the step learns from where that is one set of weights, or nothing: engines may see to it. */
  lesson(step: number): { lambda: number; teacher?: Weights } | undefined;
  /** The averages of the student that the step's update brings up to date on its way. */
  averages(step: number): Promise<{ before: Averaging[]; after: Averaging[] }>;
  /** The update of the step was done, and the averages with it. */
  updated(): void;
  /** What a checkpoint has to hold to go on from the last completed step. */
  state(): StrategyState;
  restore(state: StrategyState['ensembles'], load: LoadWeights): Promise<void>;
  release(): void;
}

export type AverageName = 'teacher' | 'se';

export interface StrategyState {
  /** By the name of the ensemble, with which the names of its sets begin. */
  ensembles: Readonly<Record<string, EnsembleState>>;
  sets: readonly NamedWeights[];
}

/** What a strategy may depend on. */
export type StrategyOptions = Pick<
  TrainOptions,
  | 'strategy'
  | 'window'
  | 'lambda'
  | 'lambdaRamp'
  | 'distance'
  | 'temperature'
  | 'teacherStart'
  | 'emaDecay'
  | 'poolEvery'
  | 'poolSize'
  | 'poolSelect'
  | 'poolStorage'
  | 'poolIncludesStudent'
  | 'average'
  | 'dropout'
>;

export interface StrategyContext {
  /** Its student is θ_0. */
  engine: Engine;
  options: StrategyOptions;
  /** What the student learns from the labels by; plain cross-entropy when absent. */
  labelLoss?: LabelLoss | undefined;
  /** T: the updates planned. */
  totalSteps: number;
  /** Where snapshots on disk go. */
  folder: string;
  /** Loss on dev with the given weights; absent without dev. */
  devLoss?: ((weights: Weights) => Promise<number>) | undefined;
}
