import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { float32Tensor } from '../graph/builder.ts';
import type { TensorData } from '../graph/graph.ts';

/** Draws from N(0, 0.02²), as BERT's weights begin, by Box and Muller. */
export function normalTensor(dims: readonly number[], generator: RandomGenerator): TensorData {
  const values = new Float32Array(size(dims));
  for (let i = 0; i < values.length; i += 2) {
    const radius = 0.02 * Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)));
    const angle = 2 * Math.PI * uniformFloat64(generator);
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
  return float32Tensor(values, dims);
}

/** A tensor of one number. */
export function filledTensor(dims: readonly number[], value: number): TensorData {
  return float32Tensor(new Float32Array(size(dims)).fill(value), dims);
}

function size(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}
