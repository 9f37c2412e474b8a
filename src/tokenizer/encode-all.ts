import { setImmediate } from 'node:timers/promises';
import type { EncodedExample, Example } from '../data/example.ts';
import { SesdError } from '../errors.ts';
import type { EncodeOptions, Tokenizer } from './tokenizer.ts';

/** Longest time, in milliseconds, for which the event loop waits. */
const slice = 10;

export interface EncodeAllOptions extends EncodeOptions {
  /** Labels of the examples as Target.encode gives them, in their order; −1 throughout when absent. */
  labels?: ArrayLike<number>;
}

/**
 * Encodes examples on this thread, letting the event loop run every 10 ms (one very long text may take longer).
 * @throws SesdError SESD_ABORTED when the signal is aborted; SESD_USAGE as Tokenizer.encode
 */
export async function encodeAll(
  tokenizer: Tokenizer,
  examples: readonly Example[],
  options: EncodeAllOptions,
  signal?: AbortSignal,
): Promise<EncodedExample[]> {
  const encoded: EncodedExample[] = [];
  let started = performance.now();
  for (const [index, { text, pair }] of examples.entries()) {
    if (performance.now() - started >= slice) {
      await setImmediate();
      started = performance.now();
    }
    if (signal?.aborted) {
      throw new SesdError('SESD_ABORTED', 'stopped while tokenizing', { cause: signal.reason });
    }
    encoded.push({ ...tokenizer.encode(text, pair, options), label: options.labels?.[index] ?? -1 });
  }
  return encoded;
}
