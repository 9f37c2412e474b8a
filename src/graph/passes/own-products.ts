import type { GraphBuilder } from '../builder.ts';
import { asProduct, type Product, spans } from '../patterns/product.ts';
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

/** Whether B is a matrix, and none of the product's axes short. */
function isLarge(builder: GraphBuilder, product: Product): boolean {
  const ranks = [product.a, product.b].map((operand) => builder.typeOf(operand)?.dims?.length ?? 0);
  return ranks[0]! >= 2 && ranks[1] === 2 && spans(builder, product, SHORTEST_AXIS);
}
