import { floatAttribute, intAttribute, intsAttribute, type Node } from '../../../src/graph/graph.ts';
import type { Evaluate } from './elementwise.ts';
import { at, broadcast, broadcastAt, generate, ravel, type Tensor, tensor, zip } from './tensor.ts';

function transposed(x: Tensor): Tensor {
  const dims = [...x.dims.slice(0, -2), x.dims.at(-1)!, x.dims.at(-2)!];
  return generate(x.dtype, dims, (index) => at(x, [...index.slice(0, -2), index.at(-1)!, index.at(-2)!]));
}

export function matMul(a: Tensor, b: Tensor, alpha = 1): Tensor {
  const left = a.dims.length === 1 ? { ...a, dims: [1, ...a.dims] } : a;
  const right = b.dims.length === 1 ? { ...b, dims: [...b.dims, 1] } : b;
  const inner = left.dims.at(-1)!;
  if (inner !== right.dims.at(-2)) throw new Error(`product of [${a.dims}] and [${b.dims}]`);
  const batch = broadcast(left.dims.slice(0, -2), right.dims.slice(0, -2));
  const dims = [...batch, left.dims.at(-2)!, right.dims.at(-1)!];
  const result = generate(a.dtype, dims, (index) => {
    const [row, column] = index.slice(-2);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum +=
        broadcastAt(left, [...index.slice(0, -2), row!, k]) *
        broadcastAt(right, [...index.slice(0, -2), k, column!]);
    }
    return alpha * sum;
  });
  if (b.dims.length === 1) result.dims.pop();
  if (a.dims.length === 1) result.dims.splice(batch.length, 1);
  return result;
}

function gemm(node: Node, [a, b, c]: readonly (Tensor | undefined)[]): Tensor {
  const left = intAttribute(node, 'transA', 0) ? transposed(a!) : a!;
  const right = intAttribute(node, 'transB', 0) ? transposed(b!) : b!;
  if (left.dims.length !== 2 || right.dims.length !== 2) throw new Error('Gemm takes matrices');
  const product = matMul(left, right, floatAttribute(node, 'alpha', 1));
  const beta = floatAttribute(node, 'beta', 1);
  return c ? zip(product.dtype, [product, c], (x, y) => x! + beta * y!) : product;
}

/** Calls `visit` for every product of a convolution over one axis: which elements of x, weight and y it joins. */
function convolve(
  node: Node,
  [batch, channels, length]: readonly number[],
  weight: Tensor,
  visit: (x: number[], w: number[], y: number[]) => void,
): number {
  const [out, perGroup, taps] = weight.dims as [number, number, number];
  const groups = intAttribute(node, 'group', 1);
  const dilation = intsAttribute(node, 'dilations')?.[0] ?? 1;
  const [before = 0, after = 0] = intsAttribute(node, 'pads') ?? [];
  const positions = length! + before + after - dilation * (taps - 1);
  if (channels !== perGroup * groups) throw new Error(`${channels} channels by weight [${weight.dims}]`);
  for (let b = 0; b < batch!; b++) {
    for (let o = 0; o < out; o++) {
      const first = Math.floor(o / (out / groups)) * perGroup;
      for (let i = 0; i < perGroup; i++) {
        for (let k = 0; k < taps; k++) {
          for (let p = 0; p < positions; p++) {
            const from = p + k * dilation - before;
            if (from >= 0 && from < length!) visit([b, first + i, from], [o, i, k], [b, o, p]);
          }
        }
      }
    }
  }
  return positions;
}

function conv(node: Node, [x, w, bias]: readonly (Tensor | undefined)[]): Tensor {
  const terms: [number[], number][] = [];
  const positions = convolve(node, x!.dims, w!, (xAt, wAt, yAt) => {
    terms.push([yAt, at(x!, xAt) * at(w!, wAt)]);
  });
  const y = generate(x!.dtype, [x!.dims[0]!, w!.dims[0]!, positions], ([, o]) => (bias ? bias.data[o!]! : 0));
  for (const [index, term] of terms) add(y, index, term);
  return y;
}

/** The transpose of the convolution with the same weight [in, out / group, taps]. */
function convTranspose(node: Node, [y, w]: readonly (Tensor | undefined)[]): Tensor {
  const dilation = intsAttribute(node, 'dilations')?.[0] ?? 1;
  const pads = intsAttribute(node, 'pads') ?? [0, 0];
  const length = y!.dims[2]! + dilation * (w!.dims[2]! - 1) - pads[0]! - pads[1]!;
  const x = tensor(y!.dtype, [y!.dims[0]!, w!.dims[1]! * intAttribute(node, 'group', 1), length]);
  convolve(node, x.dims, w!, (xAt, wAt, yAt) => add(x, xAt, at(y!, yAt) * at(w!, wAt)));
  return x;
}

function add(target: Tensor, index: number[], value: number): void {
  target.data[ravel(index, target.dims)]! += value;
}

export const products: Readonly<Record<string, Evaluate>> = {
  MatMul: (_, [a, b]) => [matMul(a!, b!)],
  Conv: (node, inputs) => [conv(node, inputs)],
  ConvTranspose: (node, inputs) => [convTranspose(node, inputs)],
  Gemm: (node, inputs) => [gemm(node, inputs)],
};
