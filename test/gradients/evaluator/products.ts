import { floatAttribute, intAttribute, type Node } from '../../../src/graph/graph.ts';
import type { Evaluate } from './elementwise.ts';
import { at, broadcast, broadcastAt, generate, type Tensor, zip } from './tensor.ts';

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

export const products: Readonly<Record<string, Evaluate>> = {
  MatMul: (_, [a, b]) => [matMul(a!, b!)],
  Gemm: (node, inputs) => [gemm(node, inputs)],
};
