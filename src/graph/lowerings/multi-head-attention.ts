import type { GraphBuilder } from '../builder.ts';
import type { Node } from '../graph.ts';
import { attend } from './attention-core.ts';
import { joinHeads } from './heads.ts';
import { cannotLower, type Lowering } from './lowering.ts';

/** com.microsoft::MultiHeadAttention: the projections are inputs, in several layouts, their biases one vector. */
export const multiHeadAttention: Lowering = (builder, node) => {
  const [, , , bias, mask, attentionBias, ...past] = node.inputs;
  if (past.some(Boolean) || node.outputs.slice(1).some(Boolean)) {
    throw cannotLower(node, 'keeps keys and values of earlier calls');
  }
  const flat = projections(builder, node);
  const biased = bias ? withBias(builder, node, flat, bias) : flat;
  const [query, key, value] = biased;
  return [attend(builder, node, { query, key, value, mask, bias: attentionBias })];
};

type Projections = [query: string, key: string, value: string];

/** Each [batch, sequence, heads × head size]. */
function projections(builder: GraphBuilder, node: Node): Projections {
  const [query, key, value] = node.inputs as Projections;
  const rank = (name: string | undefined) => name && builder.typeOf(name)?.dims?.length;
  if (rank(query) === 5) return unpack(builder, query, 3) as Projections;
  if (rank(key) === 5) return [query, ...unpack(builder, key, 2)] as Projections;
  if (rank(query) !== 3 || !key || !value) {
    throw cannotLower(
      node,
      `has a query '${query}' of ${rank(query) ?? 'unknown'} axes and no key and value`,
    );
  }
  return [query, flattened(builder, key), flattened(builder, value)];
}

/** [batch, sequence, heads, count, head size] as `count` of [batch, sequence, heads × head size]. */
function unpack(builder: GraphBuilder, packed: string, count: number): string[] {
  const parts = builder.multi('Split', [packed, builder.ints(...Array<number>(count).fill(1))], count, {
    attributes: { axis: 3 },
  });
  const [, , heads, , size] = builder.typeOf(packed)!.dims!;
  return parts.map((part) => builder.op('Reshape', [part, builder.ints(0, 0, columns(heads, size))]));
}

/** Keys and values may come as [batch, heads, sequence, head size] too. */
function flattened(builder: GraphBuilder, name: string): string {
  const dims = builder.typeOf(name)?.dims;
  return dims?.length === 4 ? joinHeads(builder, name, columns(dims[1], dims[3])) : name;
}

function columns(...dims: (number | string | undefined)[]): number {
  return dims.every((dim) => typeof dim === 'number') ? dims.reduce((a, b) => a * b, 1) : -1;
}

/** The bias is that of query, key and value one after the other. */
function withBias(builder: GraphBuilder, node: Node, parts: Projections, bias: string): Projections {
  const sizes = parts.map((part) => builder.typeOf(part)?.dims?.[2]);
  if (!sizes.every((size) => typeof size === 'number')) {
    throw cannotLower(node, `has a bias '${bias}' for projections of ${sizes.join(', ')} columns`);
  }
  const biases = builder.multi('Split', [bias, builder.ints(...sizes)], 3, { attributes: { axis: 0 } });
  return parts.map((part, index) => builder.op('Add', [part, biases[index]!])) as Projections;
}
