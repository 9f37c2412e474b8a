import type { GraphBuilder } from '../builder.ts';
import { floatAttribute } from '../graph.ts';
import type { Lowering } from './lowering.ts';

/**
 * com.microsoft::EmbedLayerNormalization: LayerNormalization of the sum of word, position and segment embeddings,
 * then the number of unmasked tokens of each row, then that sum.
 */
export const embedLayerNormalization: Lowering = (builder, node) => {
  const [ids, segments, word, position, segment, scale, shift, mask, positions] = node.inputs;
  const gather = (table: string, indices: string) =>
    builder.op('Gather', [table, indices], { attributes: { axis: 0 } });
  const places = positions ? gather(position!, positions) : firstRows(builder, position!, ids!);
  let sum = builder.op('Add', [gather(word!, ids!), places]);
  if (segments) sum = builder.op('Add', [sum, gather(segment!, segments)]);
  const normalized = builder.op('LayerNormalization', [sum, scale!, shift!], {
    attributes: { axis: -1, epsilon: { float: floatAttribute(node, 'epsilon', 1e-12) } },
  });
  return [normalized, node.outputs[1] ? countUnmasked(builder, ids!, mask) : undefined, sum];
};

/** One row of the table for each of the positions 0, 1, …: [sequence, hidden]. */
function firstRows(builder: GraphBuilder, table: string, ids: string): string {
  const length = builder.op('Shape', [ids], { attributes: { start: 1, end: 2 } });
  return builder.op('Slice', [table, builder.ints(0), length, builder.ints(0)]);
}

/** [batch]; 0 where there is no mask, as the runtime has it. */
function countUnmasked(builder: GraphBuilder, ids: string, mask: string | undefined): string {
  const counted = mask
    ? builder.op('Equal', [mask, builder.scalar(1, 'int32')])
    : builder.op('Less', [ids, ids]);
  const ones = builder.cast(counted, 'int32');
  return builder.op('ReduceSum', [ones, builder.ints(1)], { attributes: { keepdims: 0 } });
}
