import { floatAttribute, intAttribute } from '../../../src/graph/graph.ts';
import type { Evaluate } from './elementwise.ts';
import { positive, ravel, type Tensor, tensor, unravel, zip } from './tensor.ts';

/** Folds the given axes; the result keeps them with size 1. */
export function fold(
  x: Tensor,
  axes: ReadonlySet<number>,
  step: (a: number, b: number) => number,
  start: number,
): Tensor {
  const dims = x.dims.map((dim, axis) => (axes.has(axis) ? 1 : dim));
  const result = tensor(x.dtype, dims);
  result.data.fill(start);
  for (let i = 0; i < x.data.length; i++) {
    const to = ravel(
      unravel(i, x.dims).map((position, axis) => (axes.has(axis) ? 0 : position)),
      dims,
    );
    result.data[to] = step(result.data[to]!, x.data[i]!);
  }
  return result;
}

function reduction(step: (a: number, b: number) => number, start: number, mean = false): Evaluate {
  return (node, [x, given]) => {
    let axes = given ? [...given.data].map((axis) => positive(axis, x!.dims.length)) : [];
    if (axes.length === 0) {
      if (intAttribute(node, 'noop_with_empty_axes', 0)) return [x!];
      axes = x!.dims.map((_, axis) => axis);
    }
    const gone = new Set(axes);
    const result = fold(x!, gone, step, start);
    if (mean) result.data = result.data.map((sum) => (sum * result.data.length) / x!.data.length);
    if (!intAttribute(node, 'keepdims', 1)) result.dims = result.dims.filter((_, axis) => !gone.has(axis));
    return [result];
  };
}

function softmax(logarithm: boolean): Evaluate {
  return (node, [x]) => {
    const axis = new Set([positive(intAttribute(node, 'axis', -1), x!.dims.length)]);
    const shifted = zip(x!.dtype, [x!, fold(x!, axis, Math.max, -Infinity)], (a, b) => a! - b!);
    const sums = fold(zip(x!.dtype, [shifted], Math.exp), axis, (a, b) => a + b, 0);
    return [
      zip(x!.dtype, [shifted, sums], (a, sum) => (logarithm ? a! - Math.log(sum!) : Math.exp(a!) / sum!)),
    ];
  };
}

/** Normalizes over the given axes: (x̂, mean, 1/σ). */
export function normalize(x: Tensor, axes: ReadonlySet<number>, epsilon: number): [Tensor, Tensor, Tensor] {
  const sum = (value: Tensor) => fold(value, axes, (a, b) => a + b, 0);
  const size = x.data.length / sum(x).data.length;
  const mean = zip(x.dtype, [sum(x)], (total) => total! / size);
  const centred = zip(x.dtype, [x, mean], (a, b) => a! - b!);
  const variance = sum(zip(x.dtype, [centred], (value) => value! ** 2));
  const invStdDev = zip(x.dtype, [variance], (total) => 1 / Math.sqrt(total! / size + epsilon));
  return [zip(x.dtype, [centred, invStdDev], (a, b) => a! * b!), mean, invStdDev];
}

export function affine(normalized: Tensor, scale: Tensor, shift: Tensor | undefined): Tensor {
  const scaled = zip(normalized.dtype, [normalized, scale], (x, s) => x! * s!);
  return shift ? zip(scaled.dtype, [scaled, shift], (x, b) => x! + b!) : scaled;
}

const layerNormalization: Evaluate = (node, [x, scale, shift]) => {
  const from = positive(intAttribute(node, 'axis', -1), x!.dims.length);
  const axes = new Set(x!.dims.map((_, axis) => axis).filter((axis) => axis >= from));
  const [normalized, mean, invStdDev] = normalize(x!, axes, floatAttribute(node, 'epsilon', 1e-5));
  return [affine(normalized, scale!, shift), mean, invStdDev];
};

export const reductions: Readonly<Record<string, Evaluate>> = {
  ReduceSum: reduction((a, b) => a + b, 0),
  ReduceMean: reduction((a, b) => a + b, 0, true),
  ReduceProd: reduction((a, b) => a * b, 1),
  ReduceMax: reduction(Math.max, -Infinity),
  ReduceMin: reduction(Math.min, Infinity),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  LayerNormalization: layerNormalization,
};
