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
