/**
 * Prints the study's tables, as Markdown, from the results of study.ts:
 *
 *   node --import tsx bench/study/table.ts FILE... [--of best|student|average]
 *
 * best: the weights the product exports, chosen on dev; student, average: those after the last update.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CellResult } from './cell.ts';

const { values, positionals } = parseArgs({
  options: { of: { type: 'string', default: 'best' } },
  allowPositionals: true,
});
const results = positionals.flatMap(
  (file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)) as CellResult[],
);

/** Test accuracy in % by setting, task and seed, of one model and run length. */
type Accuracies = Map<string, Map<string, Map<number, number>>>;

const lengths = new Set(results.map(({ cell }) => `${cell.model} ${cell.steps}`));
for (const length of lengths) {
  const runs = results.filter(({ cell }) => `${cell.model} ${cell.steps}` === length);
  console.log(`\n### ${length} updates\n`);
  printTable(accuraciesOf(runs));
}

function accuraciesOf(runs: readonly CellResult[]): Accuracies {
  const accuracies: Accuracies = new Map();
  const add = (setting: string, { task, seed }: CellResult['cell'], accuracy: number | undefined) => {
    if (accuracy === undefined) return;
    const tasks = accuracies.get(setting) ?? new Map<string, Map<number, number>>();
    accuracies.set(setting, tasks);
    tasks.set(task, (tasks.get(task) ?? new Map<number, number>()).set(seed, 100 * accuracy));
  };
  for (const { cell, best, last } of runs) {
    add(cell.setting, cell, values.of === 'best' ? best.test : last[values.of]?.accuracy);
    // The mean of the second half of a plain run is a by-product of it.
    if (cell.setting === 'finetune') add('se, start 0.5', cell, last.average?.accuracy);
  }
  return accuracies;
}

function printTable(accuracies: Accuracies): void {
  const tasks = [...(accuracies.get('finetune')?.keys() ?? [])];
  console.log(`| | ${tasks.join(' | ')} | mean difference | runs |`);
  console.log(`|---|${tasks.map(() => '---').join('|')}|---|---|`);
  for (const [setting, byTask] of accuracies) {
    const differences: Estimate[] = [];
    let runs = 0;
    const columns = tasks.map((task) => {
      const bySeed = byTask.get(task);
      if (!bySeed) return '';
      runs += bySeed.size;
      const mean = show(estimate([...bySeed.values()]));
      if (setting === 'finetune') return mean;
      const plain = accuracies.get('finetune')!.get(task)!;
      const paired = [...bySeed]
        .filter(([seed]) => plain.has(seed))
        .map(([seed, value]) => value - plain.get(seed)!);
      if (paired.length === 0) return mean;
      differences.push(estimate(paired));
      return `${mean} (${showDifference(differences.at(-1)!)})`;
    });
    const complete = differences.length === tasks.length;
    console.log(
      `| ${setting} | ${columns.join(' | ')} | ${complete ? showDifference(overall(differences)) : ''} | ${runs} |`,
    );
  }
}

interface Estimate {
  mean: number;
  /** Standard error; NaN of a single value. */
  error: number;
}

function estimate(sample: readonly number[]): Estimate {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const squares = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (sample.length - 1) / sample.length) };
}

/** The mean over tasks, whose errors are independent. */
function overall(estimates: readonly Estimate[]): Estimate {
  const n = estimates.length;
  return {
    mean: estimates.reduce((sum, { mean }) => sum + mean, 0) / n,
    error: Math.sqrt(estimates.reduce((sum, { error }) => sum + error ** 2, 0)) / n,
  };
}

function show({ mean, error }: Estimate): string {
  return Number.isNaN(error) ? mean.toFixed(1) : `${mean.toFixed(1)} ± ${error.toFixed(1)}`;
}

function showDifference(difference: Estimate): string {
  const sign = difference.mean < 0 ? '−' : '+';
  return sign + show({ ...difference, mean: Math.abs(difference.mean) });
}
