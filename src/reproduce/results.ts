import type { TaskName } from '../data/tasks/index.ts';
import type { TrainSummary } from '../train/events.ts';
import { isBetter, type MetricName, metricOf } from '../train/metric.ts';
import type { Cell } from './plan.ts';
import { type Published, published } from './published.ts';
import { mean, pairedTTest, standardDeviation } from './statistics.ts';
import type { TableName } from './tables.ts';

export interface Results {
  table: TableName;
  task: TaskName | undefined;
  metric: MetricName;
  /** Splits the cells are measured on, the test split where there is one. */
  splits: readonly string[];
  /** What the numbers of `scores` and `published` are, in percent; a metric's own value where that is no share. */
  unit: Published['unit'] | 'value';
  rows: readonly RowResult[];
}

export interface RowResult {
  name: string;
  /** Seeds of each cell. */
  seeds: readonly (readonly number[])[];
  /** For each split. */
  scores: readonly {
    values: readonly number[];
    mean: number;
    standardDeviation: number;
    published?: number;
  }[];
  /** Mean over the splits of the relative error reduction against BASE, in percent. */
  delta: number;
  publishedDelta?: number;
  /** Of the paired t-test over the seeds against BASE; NaN where the row has other seeds, or too few. */
  p: number;
}

/**
 * What came of the cells, beside what is published.
 * @param summaries in the order of the cells; those of BASE come first
 */
export function resultsOf(
  table: TableName,
  cells: readonly Cell[],
  summaries: readonly TrainSummary[],
): Results {
  const { task, metric } = cells[0]!.options;
  const reported = task && metric === 'accuracy' ? published[table][task] : undefined;
  const splits = splitsOf(summaries[0]!);
  const isShare = isBetter(metric, 1, 0); // of all metrics, those that are better when they are larger end at 1
  const unit = isShare ? (reported?.unit ?? 'accuracy') : 'value';
  const toUnit = (value: number) => (unit === 'value' ? value : 100 * (unit === 'error' ? 1 - value : value));
  const errorsOf = (values: readonly number[]) => (unit === 'accuracy' ? values.map((x) => 100 - x) : values);

  const names = [...new Set(cells.map(({ row }) => row))];
  const measured = names.map((name) => {
    const own = [...cells.keys()].filter((i) => cells[i]!.row === name);
    const values = splits.map((split) =>
      own.map((i) => toUnit(metricOf(scoresOn(summaries[i]!, split), metric))),
    );
    return { name, seeds: own.map((i) => cells[i]!.seeds), values };
  });
  const base = measured[0]!;
  const baseErrors = base.values.map((values) => mean(errorsOf(values)));
  const overSplits = (values: readonly (readonly number[])[]) =>
    values[0]!.map((_, i) => mean(errorsOf(values.map((ofSplit) => ofSplit[i]!))));

  const rows = measured.map(({ name, seeds, values }): RowResult => {
    const theirs = reported?.rows[name];
    const paired = name !== base.name && seeds.join(';') === base.seeds.join(';');
    return {
      name,
      seeds,
      scores: values.map((ofSplit, i) => ({
        values: ofSplit,
        mean: mean(ofSplit),
        standardDeviation: standardDeviation(ofSplit),
        ...(theirs?.[i] !== undefined && { published: theirs[i] }),
      })),
      delta: relativeReduction(
        baseErrors,
        values.map((ofSplit) => mean(errorsOf(ofSplit))),
      ),
      ...(theirs && { publishedDelta: relativeReduction(errorsOf(reported!.rows.BASE!), errorsOf(theirs)) }),
      p: paired ? pairedTTest(overSplits(values), overSplits(base.values)).p : Number.NaN,
    };
  });
  return { table, task, metric, splits, unit, rows };
}

/** Mean of (base − error)/base, in percent: the paper's AvgΔ, over its datasets. */
export function relativeReduction(base: readonly number[], errors: readonly number[]): number {
  return 100 * mean(base.map((error, i) => (error - errors[i]!) / error));
}

function splitsOf({ test, dev, further = {} }: TrainSummary): string[] {
  return [test ? 'test' : dev ? 'dev' : 'train', ...Object.keys(further)];
}

function scoresOn(summary: TrainSummary, split: string) {
  const { train, dev, test, further } = summary;
  return { train, dev, test, ...further }[split]!;
}
