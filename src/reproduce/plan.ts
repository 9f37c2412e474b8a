import { join } from 'node:path';
import type { TrainOptions, TrainOptionsInput } from '../config/train-options.ts';
import { RunData } from '../train/run-data.ts';
import { planSteps } from '../train/schedule.ts';
import { resolveRun } from '../train/train.ts';
import type { Table } from './tables.ts';

/** One run of a table, or one model made of several. */
export interface Cell {
  row: string;
  /** One, or those of the runs it is made of. */
  seeds: readonly number[];
  /** What `train` is called with; its output is the cell's folder. */
  input: TrainOptionsInput & { output: string };
  options: TrainOptions;
  /** Cells that avg and vote are made of, already trained for BASE. */
  madeOf?: readonly Cell[];
}

export interface GridOptions {
  seeds: readonly number[];
  /** Folder of the table; the cells are in `<row>/seed-<s>/` below it. */
  output: string;
  /** Options of all cells; those of a row go before them. */
  given: TrainOptionsInput;
}

/**
 * The cells of a table, row by row. VOTE and AVG are made of BASE's runs, `runs` of them each time: of eight seeds
 * and four runs there are two. They are left out where BASE has one run only.
 *
 * @throws SesdError SESD_USAGE when an option is wrong
 */
export function planCells({ rows }: Table, { seeds, output, given }: GridOptions): Cell[] {
  const cells: Cell[] = [];
  const cell = (row: string, own: TrainOptionsInput, group: readonly number[], madeOf?: readonly Cell[]) => {
    const name = group.length === 1 ? `seed-${group[0]}` : `seeds-${group.join('-')}`;
    const folder = join(output, folderName(row), name);
    const input = { ...given, ...own, seed: group[0]!, output: folder };
    cells.push({ row, seeds: group, input, options: resolveRun(input), ...(madeOf && { madeOf }) });
  };
  for (const row of rows) {
    if ('options' in row) {
      for (const seed of seeds) cell(row.name, row.options, [seed]);
      continue;
    }
    const base = cells.filter((each) => each.row === rows[0]!.name);
    const size = Math.min(base.length, base[0]!.options.runs);
    for (let from = 0; size > 1 && from + size <= base.length; from += size) {
      const group = base.slice(from, from + size);
      const own = { strategy: row.combine, runs: size };
      cell(
        row.name,
        own,
        group.flatMap(({ seeds }) => seeds),
        group,
      );
    }
  }
  return cells;
}

/** `SDA K=5` → `sda-k-5`, `λ=0.5` → `lambda-0.5`. */
function folderName(row: string): string {
  return row
    .replace('λ', 'lambda')
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-');
}

/** Optimizer updates of every cell; 0 where nothing is trained. Reads the data. */
export async function stepsOf(cells: readonly Cell[]): Promise<number[]> {
  const data = await new RunData(cells[0]!.options, () => {}).examples();
  const examples = data.train.examples.length;
  return cells.map(({ options, madeOf }) => (madeOf ? 0 : planSteps({ ...options, examples }).total));
}
