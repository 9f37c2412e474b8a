import type { Batch, Logits } from '../engine/engine.ts';
import type { EncodedExample } from './example.ts';

export interface CollateOptions {
  padId: number;
  /** The shape of every batch, where the model takes no other. */
  fixed?: { rows?: number; length?: number };
}

/**
 * One padded batch, as long as its longest example or as the model's fixed shape. Rows beyond the examples repeat
 * the last one, so that their logits are finite; Batch.examples says where they begin.
 * @param examples at least one
 * @throws RangeError when there are more examples than fixed rows, or one is longer than the fixed length
 */
export function collate(examples: readonly EncodedExample[], { padId, fixed }: CollateOptions): Batch {
  const longest = examples.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const rows = fixed?.rows ?? examples.length;
  const length = fixed?.length ?? longest;
  if (examples.length === 0 || examples.length > rows) {
    throw new RangeError(`collate: expected 1 to ${rows} examples, found ${examples.length}`);
  }
  if (longest > length) throw new RangeError(`collate: ${longest} tokens, the model takes exactly ${length}`);

  const inputIds = new BigInt64Array(rows * length).fill(BigInt(padId));
  const attentionMask = new BigInt64Array(rows * length);
  const tokenTypeIds = new BigInt64Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const { ids, typeIds } = examples[Math.min(row, examples.length - 1)]!;
    const start = row * length;
    for (let i = 0; i < ids.length; i++) {
      inputIds[start + i] = BigInt(ids[i]!);
      tokenTypeIds[start + i] = BigInt(typeIds[i]!);
    }
    attentionMask.fill(1n, start, start + ids.length);
  }
  return { rows, length, inputIds, attentionMask, tokenTypeIds, examples: examples.length };
}

/**
 * Groups examples of like length for evaluation, the longest first, so that little is padded and memory is at
 * its highest at once. Each group holds at most maxRows examples and at most maxTokens tokens with padding
 * (a single longer example makes a group of its own).
 * @returns indices into `examples`, each exactly once; put the logits back with placeLogits
 */
export function evaluationBatches(
  examples: readonly EncodedExample[],
  { maxRows, maxTokens }: { maxRows: number; maxTokens: number },
): Uint32Array[] {
  const lengthOf = (index: number) => examples[index]!.ids.length;
  const order = Uint32Array.from(examples, (_, i) => i).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const batches: Uint32Array[] = [];
  for (let start = 0; start < order.length; ) {
    const fit = Math.floor(maxTokens / Math.max(1, lengthOf(order[start]!)));
    const end = start + Math.max(1, Math.min(maxRows, fit));
    batches.push(order.subarray(start, end));
    start = end;
  }
  return batches;
}

/**
 * Copies a batch's logits to where its examples stand in the original order.
 * @param all [examples, classes], row-major
 * @param indices of the batch's examples; rows of filling beyond them are left out
 */
export function placeLogits(all: Float32Array, indices: Uint32Array, { data, classes }: Logits): void {
  indices.forEach((index, row) => {
    all.set(data.subarray(row * classes, (row + 1) * classes), index * classes);
  });
}
