import { statfs } from 'node:fs/promises';
import { SesdError } from '../errors.ts';
import { heldSets } from '../strategy/memory.ts';
import { examplesPerPass } from './examples-per-pass.ts';
import { formatBytes } from './format-bytes.ts';
import { existingParent } from './run-folder.ts';
import { type FitInput, strategyContext } from './trainer.ts';

/**
 * What the weights of a run and their averages take, as a sentence for the user. Activations come on top: they depend on
 * the texts.
 *
 * @param device where the weights are; what a GPU has free is not known
 * @throws SesdError SESD_USAGE when memory or disk cannot hold them, or a model of fixed shape not one example
 */
export async function planMemory(input: FitInput, device: 'cpu' | 'cuda'): Promise<string> {
  const { engine, options } = input;
  const folder = await existingParent(input.folder);
  const set = 4 * engine.parameters.reduce((sum, { size }) => sum + size, 0);
  // Student, gradients and two moments; the gradients of one batch apart, where several are gathered.
  const gathers = options.accumulate > 1 || examplesPerPass(input) < options.batchSize;
  // The training API has weights and gradients of its own, and gathers in them.
  const session = options.wholeStep ? 8 : 7; // the teacher's with a whole step
  const training = (options.backend === 'ort-training' ? session : gathers ? 5 : 4) * set;
  const held = heldSets(strategyContext(input));
  const averages = (held.memory + held.bf16 / 2) * set;
  const best = input.dev ? set : 0;
  const disk = held.disk * set;

  const flags = `--strategy ${options.strategy} --window ${options.window}`;
  // The student is there already.
  const needed = training - set + averages + best;
  const available = device === 'cuda' ? Infinity : process.availableMemory();
  if (needed > available) {
    throw new SesdError(
      'SESD_USAGE',
      `${flags} needs ${formatBytes(needed)} for weights and their averages, before any activations; ${formatBytes(available)} of memory are free.`,
      { hint: averages > set ? smallerPool : 'Train a smaller model, or free some memory.' },
    );
  }
  const { bavail, bsize } = disk > 0 ? await statfs(folder) : { bavail: 0, bsize: 0 };
  if (disk > bavail * bsize) {
    throw new SesdError(
      'SESD_USAGE',
      `${flags} --pool-storage disk needs ${formatBytes(disk)} in ${folder}; ${formatBytes(bavail * bsize)} are free.`,
      { hint: smallerPool },
    );
  }
  const parts = [
    `${formatBytes(training)} for weights, gradients and moments`,
    ...(averages > 0 ? [`${formatBytes(averages)} for the averages of ${options.strategy}`] : []),
    ...(best > 0 ? [`${formatBytes(best)} for the best weights`] : []),
    ...(disk > 0 ? [`${formatBytes(disk)} on disk for past students`] : []),
  ];
  return `${device === 'cuda' ? 'GPU memory' : 'Memory'}: ${parts.join(', ')}.`;
}

const smallerPool =
  'Use a smaller --window or --pool-size, a larger --pool-every, --pool-storage bf16 or disk, or --strategy sda --window all, which keeps one mean.';
