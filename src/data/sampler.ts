import { shuffled } from './shuffle.ts';

/**
 * The order in which an epoch visits the training examples: a shuffle that is new each epoch, or the file's
 * order. It depends on the arguments alone, so a resumed run computes any epoch's order without the earlier ones.
 * @param epoch from 0
 * @returns the numbers 0..count−1
 */
export function epochOrder(
  count: number,
  { seed, epoch, shuffle }: { seed: number; epoch: number; shuffle: boolean },
): Uint32Array {
  if (!shuffle) return Uint32Array.from({ length: count }, (_, i) => i);
  return shuffled(count, seed, 1 + epoch); // stream 0 splits
}
