import type { SplitSummary } from '../train/events.ts';
import { type MetricName, metricOf } from '../train/metric.ts';
import { percent } from './format.ts';

/** Metrics that every table of a run shows, in its columns, by what was learnt. */
const columns = {
  classification: ['accuracy', 'macro-f1', 'loss'],
  regression: ['pearson', 'spearman', 'rmse'],
} as const satisfies Record<string, readonly MetricName[]>;

/** Spelled otherwise than their flag's value. */
const headings: Partial<Record<MetricName, string>> = { 'macro-f1': 'macro F1', rmse: 'RMSE' };

/**
 * The heading and the cells of a table of scores.
 * @param chosen the metric the weights were chosen by; it has a column too
 */
export function scoreColumns(
  problem: keyof typeof columns,
  chosen: MetricName,
): {
  headings: string[];
  cells(summary: SplitSummary): string[];
} {
  const metrics = [...new Set<MetricName>([...columns[problem], chosen])];
  return {
    headings: metrics.map((metric) => headings[metric] ?? metric),
    cells: (summary) => metrics.map((metric) => scoreText(metric, summary)),
  };
}

/** 74.8 % of accuracy; other metrics with three decimals. */
export function scoreText(metric: MetricName, summary: SplitSummary): string {
  const value = metricOf(summary, metric);
  return metric === 'accuracy' ? percent(value) : value.toFixed(3);
}
