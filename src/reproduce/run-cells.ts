import { SesdError } from '../errors.ts';
import type { TrainEvent, TrainSummary } from '../train/events.ts';
import { type FinishedRun, hasCheckpoint, readFinished } from '../train/finished-run.ts';
import type { RunHooks } from '../train/run.ts';
import { combineFinished } from '../train/runs.ts';
import { resolveRun, train } from '../train/train.ts';
import type { Cell } from './plan.ts';

/**
 * Runs the cells that are not finished, in their order; one that was interrupted goes on from its checkpoint.
 *
 * @throws SesdError of the cell that failed, by name; those before it are finished. SESD_USAGE when a cell was run
 *   with other options
 */
export async function runCells(
  cells: readonly Cell[],
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
): Promise<TrainSummary[]> {
  const summaries: TrainSummary[] = [];
  for (const [i, cell] of cells.entries()) {
    const name = `Cell ${i + 1} of ${cells.length} (${cell.row}, ${seedsOf(cell)})`;
    try {
      const done = await finishedCell(cell);
      listener({ type: 'notice', message: done ? `${name} is finished.` : `${name}:` });
      if (!done) await runCell(cell, hooks, listener);
      summaries.push((done ?? (await readFinished(cell.input.output))!).summary);
    } catch (error) {
      throw ofCell(name, error);
    }
  }
  return summaries;
}

function seedsOf({ seeds }: Cell): string {
  return `seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}`;
}

/** The cell's run, if it is finished and had these options. */
async function finishedCell({ input }: Cell): Promise<FinishedRun | undefined> {
  const done = await readFinished(input.output);
  if (done) resolveRun({ ...input, resume: input.output });
  return done;
}

async function runCell(
  { input, options, madeOf }: Cell,
  hooks: RunHooks,
  onEvent: (event: TrainEvent) => void,
): Promise<void> {
  const { output } = input;
  if (madeOf) {
    const runs = madeOf.map(async ({ input: { output: folder }, options: { seed } }) => ({
      ...{ folder, seed },
      ...(await readFinished(folder))!,
    }));
    await combineFinished(await Promise.all(runs), options, hooks, onEvent);
    return;
  }
  const resume = await hasCheckpoint(output);
  await train({ ...input, ...(resume ? { resume: output } : { force: true }) }, { ...hooks, onEvent });
}

function ofCell(name: string, error: unknown): unknown {
  if (!(error instanceof SesdError)) return error;
  const { code, message, hint, cause } = error;
  const again = 'Give the same command again to go on: cells that are finished are not run again.';
  return new SesdError(code, `${name}: ${message}`, {
    ...(code === 'SESD_ABORTED' ? { hint: again } : hint !== undefined && { hint }),
    cause,
  });
}
