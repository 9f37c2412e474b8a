import type { TrainEvent } from '../train/events.ts';
import type { RunHooks } from '../train/run.ts';
import { type GridOptions, planCells } from './plan.ts';
import { writeResults } from './report.ts';
import { type Results, resultsOf } from './results.ts';
import { runCells } from './run-cells.ts';
import { type TableName, tables } from './tables.ts';

/**
 * Runs a table of the paper, or what is left of it, and writes its numbers into the output folder.
 * @throws SesdError as train does, naming the cell
 */
export async function reproduce(
  table: TableName,
  grid: GridOptions,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
): Promise<Results> {
  const cells = planCells(tables[table], grid);
  const summaries = await runCells(cells, hooks, listener);
  const results = resultsOf(table, cells, summaries);
  await writeResults(grid.output, results);
  return results;
}
