import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute, type Node } from '../graph.ts';
import { joinHeads } from './heads.ts';
import { cannotLower } from './lowering.ts';

/** What com.microsoft::Attention and MultiHeadAttention have in common once their projections are told apart. */
export interface AttentionParts {
  /** [batch, sequence, heads × head size]; of a value, the head size may be another one. */
  query: string;
  key: string;
  value: string;
  /** Which keys may be attended to, in one of the forms of `additiveMask`. */
  mask: string | undefined;
  /** Added to the scores: broadcasts to [batch, heads, queries, keys]. */
  bias: string | undefined;
}

/** softmax(scale·q·kᵀ + mask + bias)·v over heads: [batch, sequence, heads × value's head size]. */
export function attend(builder: GraphBuilder, node: Node, parts: AttentionParts): string {
  if (intAttribute(node, 'unidirectional', 0) !== 0) {
    throw cannotLower(node, 'attends to earlier tokens only, as a decoder does; expected an encoder');
  }
  const heads = intAttribute(node, 'num_heads', 0);
  const split = (name: string, perm: number[]): string => {
    const size = headSize(builder, node, name, heads);
    return builder.op('Transpose', [builder.op('Reshape', [name, builder.ints(0, 0, heads, size)])], {
      attributes: { perm },
    });
  };
  const size = headSize(builder, node, parts.query, heads);
  const scale = floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(size);
  const query = split(parts.query, [0, 2, 1, 3]);
  const key = split(parts.key, [0, 2, 3, 1]);
  let scores = builder.op('Mul', [builder.op('MatMul', [query, key]), builder.scalar(scale)]);
  const masks = [parts.mask && additiveMask(builder, node, parts.mask, parts.key), parts.bias].filter(
    Boolean,
  );
  const mask = masks.length === 2 ? builder.op('Add', masks as string[]) : masks[0];
  if (mask) scores = builder.op('Add', [scores, mask]);
  const probabilities = builder.op('Softmax', [scores], { attributes: { axis: -1 } });
  const context = builder.op('MatMul', [probabilities, split(parts.value, [0, 2, 1, 3])]);
  const joined = heads * headSize(builder, node, parts.value, heads);
  return joinHeads(builder, context, joined);
}

function headSize(builder: GraphBuilder, node: Node, name: string, heads: number): number {
  const hidden = builder.typeOf(name)?.dims?.[2];
  if (typeof hidden === 'number' && hidden % heads === 0) return hidden / heads;
  throw cannotLower(node, `has ${heads} heads over '${name}' of ${hidden ?? 'unknown'} columns`);
}

/**
 * What is added to the scores for an integer mask: 0 for a key to attend to, `mask_filter_value` for others.
 *
 * @param mask 1 for such keys: [batch, keys] or [batch, queries, keys]; or [batch], how many there are from the
 *   first on; or [2 × batch], where they end and where they start.
 */
function additiveMask(builder: GraphBuilder, node: Node, mask: string, key: string): string {
  const rank = builder.typeOf(mask)?.dims?.length;
  if (rank === undefined || rank < 1 || rank > 3) {
    throw cannotLower(node, `has a mask '${mask}' of ${rank ?? 'unknown'} axes; expected 1 to 3`);
  }
  const keep =
    rank === 1
      ? withinBounds(builder, mask, key)
      : builder.op('Greater', [mask, builder.scalar(0, builder.typeOf(mask)!.dtype)]);
  const additive = builder.op('Where', [
    keep,
    builder.scalar(0),
    builder.scalar(floatAttribute(node, 'mask_filter_value', -10000)),
  ]);
  return builder.op('Unsqueeze', [additive, rank === 3 ? builder.ints(1) : builder.ints(1, 2)]);
}

/** [batch, keys]: k < end, and k ≥ start where the bounds [2 × batch] have the starts behind the ends. */
function withinBounds(builder: GraphBuilder, bounds: string, key: string): string {
  const axis = (value: string, at: number) =>
    builder.op('Shape', [value], { attributes: { start: at, end: at + 1 } });
  const long = builder.cast(bounds, 'int64');
  const shape = builder.op('Concat', [builder.ints(-1), axis(key, 0)], { attributes: { axis: 0 } });
  const rows = builder.op('Reshape', [long, shape]); // [1 or 2, batch]
  const row = (at: number) =>
    builder.op('Unsqueeze', [builder.op('Gather', [rows, builder.scalar(at, 'int64')]), builder.ints(1)]);
  const starts = builder.op('Mul', [row(-1), builder.op('Sub', [axis(rows, 0), builder.ints(1)])]);
  const count = builder.op('Squeeze', [axis(key, 1)]);
  const keys = builder.op('Range', [builder.scalar(0, 'int64'), count, builder.scalar(1, 'int64')]);
  return builder.op('And', [
    builder.op('Less', [keys, row(0)]),
    builder.op('GreaterOrEqual', [keys, starts]),
  ]);
}
