import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import type { SplitSummary } from './events.ts';

/** What `--metric` takes. */
export type MetricName = TrainOptions['metric'];

interface Metric {
  /** Its name in metrics.jsonl. */
  key: keyof SplitSummary;
  better: 'higher' | 'lower';
  problems: readonly TrainOptions['problemType'][];
  /** The one number of labels it is defined for. */
  labels?: number;
}

const ofLabels = { better: 'higher', problems: ['classification'] } as const;
const ofNumbers = { problems: ['regression'] } as const;

const metrics: Readonly<Record<MetricName, Metric>> = {
  accuracy: { key: 'accuracy', ...ofLabels },
  'macro-f1': { key: 'macroF1', ...ofLabels },
  'micro-f1': { key: 'microF1', ...ofLabels },
  'weighted-f1': { key: 'weightedF1', ...ofLabels },
  f1: { key: 'f1', ...ofLabels, labels: 2 },
  mcc: { key: 'mcc', ...ofLabels },
  ece: { key: 'ece', ...ofLabels, better: 'lower' },
  loss: { key: 'loss', better: 'lower', problems: ['classification', 'regression'] },
  pearson: { key: 'pearson', ...ofNumbers, better: 'higher' },
  spearman: { key: 'spearman', ...ofNumbers, better: 'higher' },
  mse: { key: 'mse', ...ofNumbers, better: 'lower' },
  rmse: { key: 'rmse', ...ofNumbers, better: 'lower' },
  mae: { key: 'mae', ...ofNumbers, better: 'lower' },
};

/** The value of a metric among the scores; NaN where it is none of them. */
export function metricOf(summary: SplitSummary, metric: MetricName): number {
  return summary[metrics[metric].key] ?? Number.NaN;
}

/** Whether a value of the metric is better than another; NaN never is, and anything else is better than NaN. */
export function isBetter(metric: MetricName, value: number, than: number): boolean {
  if (Number.isNaN(than)) return !Number.isNaN(value);
  return metrics[metric].better === 'lower' ? value < than : value > than;
}

/**
 * Checks that a problem can be measured by the metric.
 * @throws SesdError SESD_USAGE naming the flag and the metrics there are
 */
export function checkMetric(
  name: MetricName,
  problem: { type: TrainOptions['problemType']; labels: readonly string[] },
): void {
  const fits = ({ problems, labels }: Metric) =>
    problems.includes(problem.type) && (labels === undefined || labels === problem.labels.length);
  const metric = metrics[name];
  if (fits(metric)) return;
  const reason = metric.problems.includes(problem.type)
    ? `it is defined for ${metric.labels} labels, found ${problem.labels.length}`
    : `it measures a ${metric.problems[0]}, this is a ${problem.type}`;
  const others = Object.entries(metrics).flatMap(([other, each]) => (fits(each) ? other : []));
  throw new SesdError('SESD_USAGE', `--metric ${name}: ${reason}.`, {
    hint: `Choose one of ${others.join(', ')}.`,
  });
}
