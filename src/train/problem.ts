import type { TrainOptions } from '../config/train-options.ts';
import { LabelMap } from '../data/labels.ts';
import { numberTarget } from '../data/number-target.ts';
import type { Target } from '../data/target.ts';
import { tasks } from '../data/tasks/index.ts';
import { evaluateLogits } from '../metrics/classification.ts';
import { evaluateValues } from '../metrics/regression.ts';
import { crossEntropy } from '../objective/cross-entropy.ts';
import { regressionLoss } from '../objective/mean-squared-error.ts';
import type { LabelLoss } from '../objective/objective.ts';
import { weightsOfClasses } from './class-weights.ts';
import type { SplitSummary } from './events.ts';
import type { NamedExamples } from './load-data.ts';
import { checkMetric } from './metric.ts';
import type { ExportExtras, ModelFile } from './model-provider.ts';

/** What a run learns: how labels are read, what is minimized against them, and how predictions are measured. */
export interface Problem {
  readonly type: TrainOptions['problemType'];
  readonly target: Target;
  readonly loss: LabelLoss;
  /** @param logits [examples, one for each of the target's names] */
  measure(logits: Float32Array, labels: ArrayLike<number>): SplitSummary;
}

type ProblemOptions = Pick<
  TrainOptions,
  'problemType' | 'task' | 'metric' | 'classWeights' | 'labelSmoothing'
>;

/**
 * The problem that the options, the model's config.json and the training examples state.
 * @throws SesdError SESD_USAGE when `metric` or `classWeights` do not fit it, SESD_BAD_DATA when the labels do not
 */
export function stateProblem(
  options: ProblemOptions,
  { config }: Pick<ModelFile, 'config'>,
  train: NamedExamples,
): Problem {
  const problem = options.problemType === 'regression' ? regression : ofLabels(options, config, train);
  checkMetric(options.metric, { type: problem.type, labels: problem.target.names });
  return problem;
}

/** The labels of a model that already classifies by them, else those of the task, else those of the file. */
function ofLabels(
  { task, classWeights, labelSmoothing }: ProblemOptions,
  config: ModelFile['config'],
  { examples, name, classNames }: NamedExamples,
): Problem {
  const labels =
    LabelMap.fromConfig(config?.id2label, examples, name) ??
    ofTask(task) ??
    LabelMap.fromExamples(examples, name, classNames);
  const weights = classWeights && weightsOfClasses(classWeights, labels.names, labels.encode(examples, name));
  return classification(labels, crossEntropy({ classWeights: weights, labelSmoothing }));
}

function ofTask(task: ProblemOptions['task']): LabelMap | undefined {
  const labels = task && tasks[task].labels;
  return labels && new LabelMap(labels);
}

/** One of some labels: their logits go through a softmax. */
export function classification(target: Target, loss: LabelLoss = crossEntropy()): Problem {
  const classes = target.names.length;
  return {
    type: 'classification',
    target,
    loss,
    measure(logits, labels) {
      const { perClass: _, confusion: __, ...scores } = evaluateLogits(logits, classes, labels);
      return scores;
    },
  };
}

/** What the export of a model that solves the problem says beside its weights. */
export function exportExtras(
  { type, target: { id2label, label2id } }: Problem,
  tokenizerFiles: ExportExtras['tokenizerFiles'],
  { maxLength, truncate, exportDtype }: Pick<TrainOptions, 'maxLength' | 'truncate' | 'exportDtype'>,
): ExportExtras {
  return { problemType: type, id2label, label2id, tokenizerFiles, maxLength, truncate, exportDtype };
}

/** A number: the one logit itself. */
export const regression: Problem = {
  type: 'regression',
  target: numberTarget,
  loss: regressionLoss,
  measure: evaluateValues,
};
