import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { TrainOptions } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import { SesdError } from '../errors.ts';
import type { FitInput } from './trainer.ts';

/** A digest of the examples of each split there is, by its name. */
export type DataDigests = Readonly<Record<string, string>>;

export async function dataDigests({
  train,
  dev,
  test,
  further,
}: Pick<FitInput, 'train' | 'dev' | 'test' | 'further'>): Promise<DataDigests> {
  const digests: Record<string, string> = {};
  for (const [split, examples] of Object.entries({ train, dev, test, ...further }))
    if (examples) digests[split] = await digestOf(examples);
  return digests;
}

/**
 * Checks that a resumed run sees what the run was started with: other training examples are another run, and
 * with other dev examples "the best so far" means nothing.
 * @throws SesdError SESD_CHECKPOINT naming the flag and the file
 */
export function requireSameData(stored: DataDigests, found: DataDigests, options: TrainOptions): void {
  const other = Object.keys({ ...stored, ...found }).find((split) => stored[split] !== found[split]);
  if (other === undefined) return;
  const source = options[other as keyof TrainOptions];
  const origin = source === undefined ? `the ${other} split` : `--${other} ${source}`;
  throw new SesdError(
    'SESD_CHECKPOINT',
    `The examples of ${origin} are not those the run was started with.`,
    { hint: 'Restore the file, the tokenizer and its settings as they were, or start a new run.' },
  );
}

/** A digest of encoded examples: of their tokens, their labels and their order. */
async function digestOf(examples: readonly EncodedExample[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [index, { ids, typeIds, label }] of examples.entries()) {
    hash.update(Float64Array.of(ids.length, label)).update(ids).update(typeIds);
    if (index % 4096 === 4095) await setImmediate(); // large data must not hold up the event loop
  }
  return hash.digest('hex');
}
