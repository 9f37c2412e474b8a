import type { GraphBuilder } from '../builder.ts';
import { intAttribute, type Node } from '../graph.ts';
import { joinHeads, splitHeads } from './heads.ts';
import { cannotLower, type Lowering } from './lowering.ts';

/** RotaryEmbedding of ai.onnx (opset 23): (x, cosines, sines, positions). */
export const rotaryEmbedding: Lowering = (builder, node) => {
  const [x, cosines, sines, positions] = node.inputs as [string, string, string, string | undefined];
  return [rotate(builder, node, x, { cosines, sines, positions })];
};

/** com.microsoft::RotaryEmbedding: the same with its inputs in another order. */
export const contribRotaryEmbedding: Lowering = (builder, node) => {
  const [x, positions, cosines, sines] = node.inputs as [string, string, string, string];
  if (builder.typeOf(positions)?.dims?.length !== 2) {
    throw cannotLower(node, `has positions '${positions}' that are not [batch, sequence]`);
  }
  return [rotate(builder, node, x, { cosines, sines, positions })];
};

interface Angles {
  /** [positions, rotated / 2] to look up in, or without positions [batch, sequence, rotated / 2]. */
  cosines: string;
  sines: string;
  /** [batch, sequence] */
  positions: string | undefined;
}

/**
 * Turns pairs (a, b) of each head's first `rotary_embedding_dim` columns (0: all) to (a·cos − b·sin, a·sin + b·cos):
 * the halves of the columns are paired, or neighbours where `interleaved`. x is [batch, heads, sequence, head size] or
 * [batch, sequence, heads × head size].
 */
function rotate(builder: GraphBuilder, node: Node, x: string, angles: Angles): string {
  const dims = builder.typeOf(x)?.dims;
  if (dims?.length === 4) return rotateHeads(builder, node, x, angles);
  const split = splitHeads(builder, node, x, intAttribute(node, 'num_heads', 0));
  return joinHeads(builder, rotateHeads(builder, node, split, angles), dims![2] as number);
}

function rotateHeads(builder: GraphBuilder, node: Node, x: string, angles: Angles): string {
  const size = builder.typeOf(x)?.dims?.[3];
  if (typeof size !== 'number') throw cannotLower(node, `has heads '${x}' of unknown size`);
  const rotated = intAttribute(node, 'rotary_embedding_dim', 0) || size;
  const last = { attributes: { axis: -1 } };
  const [turning, rest] =
    rotated === size ? [x] : builder.multi('Split', [x, builder.ints(rotated, size - rotated)], 2, last);
  const pairs = intAttribute(node, 'interleaved', 0) !== 0 ? neighbours : halves;
  const { a, b, join } = pairs(builder, turning!, rotated);
  const { positions } = angles;
  const perHead = (cache: string) =>
    builder.op('Unsqueeze', [positions ? builder.op('Gather', [cache, positions]) : cache, builder.ints(1)]);
  const [cos, sin] = [perHead(angles.cosines), perHead(angles.sines)];
  const times = (value: string, factor: string) => builder.op('Mul', [value, factor]);
  const result = join(
    builder.op('Sub', [times(a, cos), times(b, sin)]),
    builder.op('Add', [times(a, sin), times(b, cos)]),
  );
  return rest === undefined ? result : builder.op('Concat', [result, rest], last);
}

interface Pairs {
  a: string;
  b: string;
  join(a: string, b: string): string;
}

function halves(builder: GraphBuilder, x: string, size: number): Pairs {
  const last = { attributes: { axis: -1 } };
  const [a, b] = builder.multi('Split', [x, builder.ints(size / 2, size / 2)], 2, last);
  return { a: a!, b: b!, join: (left, right) => builder.op('Concat', [left, right], last) };
}

function neighbours(builder: GraphBuilder, x: string, size: number): Pairs {
  const last = { attributes: { axis: -1 } };
  const axis = builder.ints(-1);
  const paired = builder.op('Reshape', [x, builder.ints(0, 0, 0, size / 2, 2)]);
  const [a, b] = builder
    .multi('Split', [paired, builder.ints(1, 1)], 2, last)
    .map((part) => builder.op('Squeeze', [part, axis]));
  const column = (value: string) => builder.op('Unsqueeze', [value, axis]);
  return {
    a: a!,
    b: b!,
    join: (left, right) =>
      builder.op('Reshape', [
        builder.op('Concat', [column(left), column(right)], last),
        builder.ints(0, 0, 0, size),
      ]),
  };
}
