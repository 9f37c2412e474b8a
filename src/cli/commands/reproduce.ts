import { join } from 'node:path';
import { z } from 'zod';
import { checkOptions } from '../../config/check.ts';
import { boolean, describeFields, field, optionalText } from '../../config/fields.ts';
import { type TrainOptionsInput, trainSchema } from '../../config/train-options.ts';
import { SesdError } from '../../errors.ts';
import type { Cell } from '../../reproduce/plan.ts';
import { type TableName, tables } from '../../reproduce/tables.ts';
import type { Command, Context } from '../command.ts';
import { table as columns, count, plural } from '../format.ts';
import { Progress } from '../progress.ts';

const group = 'Table';

/** The options of training but those that the rows and the seeds of a table say. */
const shared = trainSchema.omit({
  strategy: true,
  seed: true,
  resume: true,
  force: true,
  output: true,
}).shape;

const reproduceSchema = z.strictObject({
  table: field(z.enum(Object.keys(tables) as [TableName, ...TableName[]]).optional(), {
    ...{ group, kind: 'choice', choices: Object.keys(tables) },
    description: 'Table of the paper to run',
    expects: `one of ${Object.keys(tables).join(', ')}`,
  }),
  seeds: field(
    z
      .preprocess(
        (value) => (typeof value === 'number' ? `${value}` : value),
        z.string().regex(/^\d+(,\d+)*,?$/),
      )
      .default('5'),
    {
      ...{ group, kind: 'text', valueName: 'N|LIST', expects: 'a number, or seeds as in 1,2,7' },
      description: 'Runs of each row, with the seeds 1, 2, …; or the seeds themselves: 1,2,7',
    },
  ),
  output: optionalText({
    ...{ group, valueName: 'DIR', path: true },
    description: 'Folder of the table and its runs (default: runs/<table>)',
  }),
  plan: boolean({ default: false }, { group, description: 'Only say what would be run' }),
  ...shared,
});

/** `sesd-train reproduce`: a table of the paper, row by row and seed by seed. */
export const reproduceCommand: Command = {
  name: 'reproduce',
  usage: ['reproduce [table]'],
  description: "Run a table of the paper on a dataset and set it beside the paper's numbers",
  fields: describeFields(reproduceSchema),
  examples: [
    { call: '$0 reproduce table3 --onnx bert/ --task imdb --data aclImdb --plan', does: 'What would be run' },
    {
      call: '$0 reproduce k-ablation --onnx bert/ --train a.csv --test b.csv --seeds 3',
      does: 'Your own data',
    },
  ],
  async run(values, context): Promise<void> {
    const {
      table,
      seeds: wanted = '5',
      output,
      plan = false,
      ...given
    } = checkOptions(reproduceSchema, values);
    if (table === undefined) {
      const list = Object.entries(tables).map(([name, { description }]) => `${name} (${description})`);
      throw new SesdError('SESD_USAGE', 'reproduce needs the name of a table.', {
        hint: `There are ${list.join('; ')}.`,
      });
    }
    const seeds = seedsOf(wanted);
    const folder = output ?? join('runs', table);
    const grid = { seeds, output: folder, given: given as TrainOptionsInput };
    if (plan) await showPlan(table, grid, context);
    else await runTable(table, grid, context);
  },
};

/** `3` means 1, 2, 3; `3,` and `1,3` name them. */
function seedsOf(text: string): number[] {
  if (!text.includes(',')) return Array.from({ length: Number(text) }, (_, i) => i + 1);
  return [...new Set(text.split(',').filter(Boolean).map(Number))];
}

type Grid = { seeds: number[]; output: string; given: TrainOptionsInput };

async function showPlan(table: TableName, grid: Grid, { out }: Context): Promise<void> {
  const { planCells, stepsOf } = await import('../../reproduce/plan.ts');
  const cells = planCells(tables[table], grid);
  const steps = await stepsOf(cells);
  const rows = [...new Set(cells.map(({ row }) => row))].map((row) => {
    const own = [...cells.keys()].filter((i) => cells[i]!.row === row);
    const ofRow = own.map((i) => steps[i]!);
    const total = ofRow.reduce((sum, each) => sum + each, 0);
    return [row, settingsOf(cells[own[0]!]!), count(own.length), count(ofRow[0]!), count(total)];
  });
  const total = steps.reduce((sum, each) => sum + each, 0);
  const trained = cells.filter(({ madeOf }) => !madeOf).length;
  await out.writeAll(
    `${columns([['row', 'strategy', 'cells', 'steps each', 'steps'], ...rows])}\n\n` +
      `${plural(trained, 'run')}, ${plural(total, 'step')} in all, in ${grid.output}/<row>/seed-<s>/\n`,
  );
}

function settingsOf({ options, madeOf }: Cell): string {
  const { strategy, window, lambda } = options;
  if (madeOf) return `${strategy} of ${madeOf.length} runs of BASE`;
  return strategy === 'sda' || strategy === 'sdv' ? `${strategy} K=${window} λ=${lambda}` : strategy;
}

async function runTable(table: TableName, grid: Grid, { out, err, signal }: Context): Promise<void> {
  const { quiet, json } = grid.given;
  const { reproduce } = await import('../../reproduce/reproduce.ts');
  const { markdownTable } = await import('../../reproduce/report.ts');
  const progress = new Progress(err);
  const results = await reproduce(table, grid, { signal }, (event) => {
    if (json) out.line(JSON.stringify(event));
    if (!quiet) progress.show(event);
  }).finally(() => progress.clear());
  const text = `${markdownTable(results)}\nIn ${join(grid.output, `${table}.md`)} and ${table}.json\n`;
  if (json) err.write(text);
  else await out.writeAll(text);
}
