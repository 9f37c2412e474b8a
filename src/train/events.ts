import type { TrainOptions } from '../config/train-options.ts';
import type { ClassificationMetrics } from '../metrics/classification.ts';
import type { RegressionMetrics } from '../metrics/regression.ts';

export type Split = 'train' | 'dev' | 'test';

/**
 * Which weights: the student's, an average a strategy keeps, or what several runs were made into: the mean of
 * their weights (avg) or of their probabilities (vote).
 */
export type ModelName = 'student' | 'teacher' | 'se' | 'avg' | 'vote';

/** What a run is, before its first step. */
export interface ConfigEvent {
  type: 'config';
  /** The options that were resolved, as in config.yaml. */
  options: Partial<TrainOptions>;
  labels: readonly string[];
  /** Examples of each split, by name. */
  examples: Readonly<Record<string, number>>;
  /** Optimizer updates of the run. */
  totalSteps: number;
  stepsPerEpoch: number;
  /** Trained numbers. */
  parameters: number;
  /** This package's version. */
  version: string;
}

/** One optimizer update. */
export interface StepEvent {
  type: 'step';
  /** 1-based. */
  step: number;
  /** Passes over the training data so far, with fractions. */
  epoch: number;
  loss: number;
  /**
   * Mean cross-entropy as it is optimized, with class weights and smoothing; of a regression the mean squared error;
   * the loss itself where a custom objective has no such term.
   */
  ce: number;
  /** Mean distance to the teacher's logits, or half of that between the two draws of r-drop, before λ; 0 without either. */
  distill: number;
  /** The body's learning rate in this update. */
  lr: number;
  /** Global L2 norm before clipping. */
  gradNorm: number;
  examples: number;
  /** Tokens of the examples, without padding. */
  tokens: number;
  ms: number;
  /** Terms of a custom objective. */
  [part: string]: number | string;
}

/** One set of weights measured on one split. */
export interface EvalEvent extends SplitSummary {
  type: 'eval';
  /** The update after which the weights were these. */
  step: number;
  /** train, dev, test, or a further one a dataset has, as "dev-mismatched". */
  split: string;
  model: ModelName;
  /** True for the restored weights at the end of the run. */
  final?: boolean;
}

/** The weights now kept as the best. */
export interface BestEvent {
  type: 'best';
  step: number;
  model: ModelName;
  metric: TrainOptions['metric'];
  value: number;
}

export interface CheckpointEvent {
  type: 'checkpoint';
  step: number;
  path: string;
}

/** Of the runs that avg and vote are made of, the next one begins, goes on or is found finished. */
export interface RunEvent {
  type: 'run';
  /** From 1. */
  run: number;
  runs: number;
  seed: number;
  /** Folder of the run. */
  folder: string;
}

/** An interrupted run goes on after `step`. */
export interface ResumeEvent {
  type: 'resume';
  step: number;
  /** Whether the evaluation due after that step, if one was, had been done. */
  evaluated: boolean;
}

/** `--patience` evaluations brought no better weights. */
export interface EarlyStopEvent {
  type: 'early-stop';
  step: number;
}

/** Something the user should know, in a sentence. */
export interface NoticeEvent {
  type: 'notice';
  message: string;
}

/** The run is complete; also what summary.json holds. */
export interface DoneEvent extends TrainSummary {
  type: 'done';
}

/** What came of a run. */
export interface TrainSummary {
  /** Updates done; fewer than planned after an early stop. */
  steps: number;
  /** Where the restored weights come from. */
  best: { step: number; model: ModelName; metric?: TrainOptions['metric']; value?: number };
  /** The restored weights measured on each split there is. */
  train?: SplitSummary;
  dev?: SplitSummary;
  test?: SplitSummary;
  /** On further splits, by name. */
  further?: Readonly<Record<string, SplitSummary>>;
  seconds: number;
  /** The runs that avg and vote were made of. */
  runs?: (TrainSummary & { seed: number; folder: string })[];
}

/** The scores of one set of weights on one split: those of classes, or those of numbers. */
export type SplitSummary = Pick<ClassificationMetrics, 'examples' | 'loss'> &
  Partial<Omit<ClassificationMetrics, 'perClass' | 'confusion'>> &
  Partial<RegressionMetrics>;

/** Everything a run reports; metrics.jsonl holds these, one a line. */
export type TrainEvent =
  | ConfigEvent
  | StepEvent
  | EvalEvent
  | BestEvent
  | CheckpointEvent
  | RunEvent
  | ResumeEvent
  | EarlyStopEvent
  | NoticeEvent
  | DoneEvent;

export type EmitEvent = (event: TrainEvent) => void;
