import { SesdError } from '../errors.ts';
import { rowsPerExample } from '../strategy/memory.ts';
import type { FitInput } from './trainer.ts';

/**
 * Examples that go through the student at a time: a batch, or what the rows of a model of fixed shape hold.
 * @throws SesdError SESD_USAGE when these do not hold one
 */
export function examplesPerPass({ engine, options }: Pick<FitInput, 'engine' | 'options'>): number {
  const { rows } = engine.fixed;
  if (rows === undefined) return options.batchSize;
  const each = rowsPerExample(options);
  if (rows >= each) return Math.floor(rows / each);
  throw new SesdError(
    'SESD_USAGE',
    `--strategy ${options.strategy} needs ${each} rows of a batch for each example; the model takes ${rows}.`,
    { hint: 'Export the model with a dynamic batch axis, or use another --strategy.' },
  );
}
