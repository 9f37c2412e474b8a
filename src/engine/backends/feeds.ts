import type { HostTensor } from '../contract.ts';
import type { Batch } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';

type Feed = TrainingPlan['feeds'][number];

/** A batch in the element types and under the names the graph's inputs have. */
export function feedBatch(feeds: readonly Feed[], batch: Batch): Record<string, HostTensor> {
  const dims = [batch.rows, batch.length];
  const tensors: Record<string, HostTensor> = {};
  for (const { role, name, dtype } of feeds) {
    tensors[name] = { dtype, dims, data: convert(source(role, batch), dtype) };
  }
  return tensors;
}

export function feedDropoutKey(key: readonly [number, number]): HostTensor {
  return { dtype: 'int64', dims: [2], data: BigInt64Array.from(key, BigInt) };
}

/** @param dlogits [rows, classes] */
export function feedDlogits(dlogits: Float32Array, classes: number): HostTensor {
  return { dtype: 'float32', dims: [dlogits.length / classes, classes], data: dlogits };
}

function source(role: Feed['role'], batch: Batch): BigInt64Array {
  switch (role) {
    case 'ids':
      return batch.inputIds;
    case 'mask':
      return batch.attentionMask;
    case 'types':
      return batch.tokenTypeIds;
    case 'positions':
      return BigInt64Array.from({ length: batch.rows * batch.length }, (_, index) =>
        BigInt(index % batch.length),
      );
  }
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
