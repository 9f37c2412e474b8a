import type { HostTensor } from '../contract.ts';
import type { Batch } from '../engine.ts';
import type { Feed, TrainingPlan } from '../plan.ts';

/**
 * A batch in the element types and under the names the graphs' inputs have.
 * @param dropoutKey for the graph with dropout
 */
export function feedBatch(
  { feeds, dropoutKey: input }: Pick<TrainingPlan, 'feeds'> & Partial<Pick<TrainingPlan, 'dropoutKey'>>,
  batch: Batch,
  dropoutKey?: readonly [number, number],
): Record<string, HostTensor> {
  const tensors: Record<string, HostTensor> = {};
  for (const feed of feeds) {
    const { dims, data } = source(feed, batch);
    tensors[feed.name] = { dtype: feed.dtype, dims, data: convert(data, feed.dtype) };
  }
  if (input && dropoutKey)
    tensors[input] = { dtype: 'int64', dims: [2], data: BigInt64Array.from(dropoutKey, BigInt) };
  return tensors;
}

/** @param dlogits [rows, classes] */
export function feedDlogits(dlogits: Float32Array, classes: number): HostTensor {
  return { dtype: 'float32', dims: [dlogits.length / classes, classes], data: dlogits };
}

function source({ role, first = 0 }: Feed, batch: Batch): { dims: number[]; data: BigInt64Array } {
  const { rows, length } = batch;
  const whole = (data: BigInt64Array) => ({ dims: [rows, length], data });
  switch (role) {
    case 'ids':
      return whole(batch.inputIds);
    case 'mask':
      return whole(batch.attentionMask);
    case 'types':
      return whole(batch.tokenTypeIds);
    case 'positions':
      return whole(
        BigInt64Array.from({ length: rows * length }, (_, index) => BigInt(first + (index % length))),
      );
    case 'tokenRows': {
      const data = tokenRows(batch);
      return { dims: [1, data.length], data };
    }
    case 'firstTokens': {
      let first = 0;
      const data = new BigInt64Array(rows);
      for (let row = 0; row < rows; row++) {
        data[row] = BigInt(first);
        first += tokenCount(batch, row);
      }
      return { dims: [rows, 1], data };
    }
    case 'paddedTokens': {
      let place = 0n;
      return whole(batch.attentionMask.map((isToken) => (isToken ? place++ : 0n)));
    }
  }
}

function tokenRows(batch: Batch): BigInt64Array {
  const { rows, length, attentionMask } = batch;
  const tokens: bigint[] = [];
  for (let index = 0; index < rows * length; index++) if (attentionMask[index]) tokens.push(BigInt(index));
  return BigInt64Array.from(tokens);
}

function tokenCount({ length, attentionMask }: Batch, row: number): number {
  let count = 0;
  for (let index = row * length; index < (row + 1) * length; index++) if (attentionMask[index]) count++;
  return count;
}

function convert(values: BigInt64Array, dtype: Feed['dtype']): HostTensor['data'] {
  switch (dtype) {
    case 'int64':
      return values;
    case 'int32':
      return Int32Array.from(values, Number);
    case 'float32':
      return Float32Array.from(values, Number);
    case 'bool':
      return Uint8Array.from(values, Number);
  }
}
