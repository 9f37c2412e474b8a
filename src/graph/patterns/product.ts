import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute, type Node, opName } from '../graph.ts';

/** op(A)·op(B), with what is added to it. */
export interface Product {
  node: Node;
  a: string;
  b: string;
  addend: string | undefined;
  transA: boolean;
  transB: boolean;
}

/** A MatMul, or a Gemm that scales nothing, in terms both have. */
export function asProduct(node: Node): Product | undefined {
  const op = opName(node);
  const [a, b, addend] = node.inputs as [string, string, string?];
  if (op === 'MatMul') return { node, a, b, addend: undefined, transA: false, transB: false };
  const plain = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1;
  if (op !== 'Gemm' || !plain) return undefined;
  const flag = (name: string) => intAttribute(node, name, 0) !== 0;
  return { node, a, b, addend: addend || undefined, transA: flag('transA'), transB: flag('transB') };
}

/** Whether a product is of float32 and no axis of its matrices is known to be shorter; those of A before its last may be. */
export function spans(builder: GraphBuilder, { a, b }: Product, shortest: number): boolean {
  const [left, right] = [builder.typeOf(a), builder.typeOf(b)];
  if (left?.dtype !== 'float32' || right?.dtype !== 'float32' || !left.dims || !right.dims) return false;
  const axes = [...left.dims.slice(-1), ...right.dims.slice(-2)];
  return axes.every((dim) => typeof dim !== 'number' || dim >= shortest);
}
