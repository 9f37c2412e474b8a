import type { GraphBuilder } from '../builder.ts';
import { asProduct, type Product } from '../patterns/product.ts';
import { replaceNode, settle } from './replace-node.ts';

/** Number format the operands of matrix products are rounded to; sums are float32. */
export type Precision = 'fp32' | 'bf16';

/** Shorter axes than a panel of the kernel's waste its tiles: small heads stay with the runtime. */
const SHORTEST_AXIS = 64;

/**
 * Turns products with a matrix, MatMul and Gemm, into `sesd::Gemm` where that is faster: in bf16 all large ones, in fp32
 * those of a transposed left factor, as gradients of weights are. Returns how many.
 */
export function ownProducts(builder: GraphBuilder, precision: Precision): number {
  const products = builder.graph.nodes.map(asProduct).filter((product) => product !== undefined);
  const chosen = products.filter(
    (product) => isLarge(builder, product) && (precision === 'bf16' || product.transA),
  );
  for (const { node, a, b, addend, transA, transB } of chosen) {
    replaceNode(builder, node, (name) => {
      const options = {
        domain: 'sesd',
        attributes: { transA: transA || undefined, transB: transB || undefined, precision },
      };
      if (addend === undefined) builder.op('Gemm', [a, b], { ...options, name });
      else builder.op('Add', [builder.op('Gemm', [a, b], options), addend], { name });
    });
  }
  settle(builder);
  return chosen.length;
}

/** Whether B is a float32 matrix and no axis of the two is known to be short; those of A before its last may be. */
function isLarge(builder: GraphBuilder, { a, b }: Product): boolean {
  const [left, right] = [builder.typeOf(a), builder.typeOf(b)];
  if (left?.dtype !== 'float32' || right?.dtype !== 'float32') return false;
  if (right.dims?.length !== 2 || left.dims === undefined || left.dims.length < 2) return false;
  return [left.dims.at(-1), ...right.dims].every((dim) => typeof dim !== 'number' || dim >= SHORTEST_AXIS);
}
