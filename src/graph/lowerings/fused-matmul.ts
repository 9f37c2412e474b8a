import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute, type Node } from '../graph.ts';
import { cannotLower, type Lowering } from './lowering.ts';

/** com.microsoft::FusedMatMul: α·op(A)·op(B). */
export const fusedMatMul: Lowering = (builder, node) => {
  const product = builder.op('MatMul', [operand(builder, node, 0), operand(builder, node, 1)]);
  const alpha = floatAttribute(node, 'alpha', 1);
  return [alpha === 1 ? product : builder.op('Mul', [product, builder.scalar(alpha)])];
};

/** transBatch puts axis 0 behind the other batch axes, trans then swaps the last two. */
function operand(builder: GraphBuilder, node: Node, index: 0 | 1): string {
  const name = node.inputs[index]!;
  const flag = (of: string) => intAttribute(node, of + 'AB'[index], 0) !== 0;
  const [trans, transBatch] = [flag('trans'), flag('transBatch')];
  if (!trans && !transBatch) return name;
  const rank = builder.typeOf(name)?.dims?.length;
  if (rank === undefined)
    throw cannotLower(node, `transposes its operand '${name}', whose rank is not known`);
  if (rank < 2) return name;
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  if (transBatch) perm.splice(rank - 2, 0, perm.shift()!);
  if (trans) perm.push(...perm.splice(-2).reverse());
  return builder.op('Transpose', [name], { attributes: { perm } });
}
