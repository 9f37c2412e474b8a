import type { GraphBuilder } from '../builder.ts';
import type { Node } from '../graph.ts';
import { cannotLower } from './lowering.ts';

const swapped = { attributes: { perm: [0, 2, 1, 3] } };

/**
 * [batch, sequence, heads × head size] as [batch, heads, sequence, head size].
 * @throws SesdError SESD_UNSUPPORTED_OP, naming the node, when the columns are not so many heads
 */
export function splitHeads(builder: GraphBuilder, node: Node, name: string, heads: number): string {
  const dims = builder.typeOf(name)?.dims;
  const hidden = dims?.[2];
  if (dims?.length !== 3 || typeof hidden !== 'number' || hidden % heads !== 0) {
    throw cannotLower(
      node,
      `has ${heads} heads over '${name}' [${dims?.join(', ') ?? '?'}]; expected [batch, sequence, heads × head size]`,
    );
  }
  return builder.op(
    'Transpose',
    [builder.op('Reshape', [name, builder.ints(0, 0, heads, hidden / heads)])],
    swapped,
  );
}

/** [batch, heads, sequence, head size] as [batch, sequence, columns]; columns −1 follow from the rest. */
export function joinHeads(builder: GraphBuilder, name: string, columns: number): string {
  return builder.op('Reshape', [builder.op('Transpose', [name], swapped), builder.ints(0, 0, columns)]);
}
