import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SesdError } from '../errors.ts';
import { source } from './published.ts';
import type { Results, RowResult } from './results.ts';

/** The results as a table of the paper's kind, in Markdown. */
export function markdownTable(results: Results): string {
  const { table, task, metric, splits, unit, rows } = results;
  const what = unit === 'value' ? metric : unit === 'error' ? 'error %' : `${metric} %`;
  const hasPublished = rows.some(({ publishedDelta }) => publishedDelta !== undefined);
  const header = [
    `${task ?? table}`,
    'runs',
    ...splits.flatMap((split) => [`${split} ${what}`, ...(hasPublished ? ['published'] : [])]),
    ...['Δ %', ...(hasPublished ? ['published'] : []), 'p'],
  ];
  const lines = rows.map((row) => [
    row.name,
    `${row.seeds.length}`,
    ...row.scores.flatMap((score) => [
      withDeviation(score),
      ...(hasPublished ? [number(score.published)] : []),
    ]),
    ...[number(row.delta), ...(hasPublished ? [number(row.publishedDelta)] : [])],
    Number.isNaN(row.p) ? '–' : row.p.toPrecision(2),
  ]);
  const notes = [
    'Mean ± standard deviation over the runs. Δ: relative error reduction against BASE, the mean over the splits.',
    'p: two-sided paired t-test over the seeds against BASE.',
    ...(hasPublished ? [`Published: ${source}`] : []),
  ];
  return `${[header, header.map(() => '---'), ...lines].map(line).join('\n')}\n\n${notes.join(' ')}\n`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function withDeviation({ mean, standardDeviation }: RowResult['scores'][number]): string {
  return Number.isNaN(standardDeviation) ? number(mean) : `${number(mean)} ± ${number(standardDeviation)}`;
}

function number(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2);
}

/** Writes `<table>.json` and `<table>.md` into the folder. @throws SesdError SESD_OUTPUT */
export async function writeResults(folder: string, results: Results): Promise<void> {
  try {
    await writeFile(join(folder, `${results.table}.json`), `${JSON.stringify(results, null, 2)}\n`);
    await writeFile(join(folder, `${results.table}.md`), markdownTable(results));
  } catch (cause) {
    throw new SesdError('SESD_OUTPUT', `${folder} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
