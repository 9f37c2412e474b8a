export type { TrainOptions, TrainOptionsInput } from './config/train-options.ts';
export type { Example } from './data/example.ts';
export { SesdError, type SesdErrorCode } from './errors.ts';
export type { ClassificationMetrics } from './metrics/classification.ts';
export type { RegressionMetrics } from './metrics/regression.ts';
export type { Objective, ObjectiveInput, ObjectiveValue } from './objective/objective.ts';
export { type Classification, type Classifier, loadClassifier } from './train/classifier.ts';
export type {
  BestEvent,
  CheckpointEvent,
  ConfigEvent,
  DoneEvent,
  EarlyStopEvent,
  EvalEvent,
  ModelName,
  NoticeEvent,
  ResumeEvent,
  RunEvent,
  Split,
  SplitSummary,
  StepEvent,
  TrainEvent,
  TrainSummary,
} from './train/events.ts';
export { loadRegressor, type Prediction, type Regressor } from './train/regressor.ts';
export type { TrainHooks, TrainResult } from './train/run.ts';
export type { LoadOptions, TextInput } from './train/text-model.ts';
export { Trainer, train } from './train/train.ts';
