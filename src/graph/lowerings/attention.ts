import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute, type Node } from '../graph.ts';
import { joinHeads, splitHeads } from './heads.ts';
import { cannotLower, type Lowering } from './lowering.ts';

/**
 * Attention of ai.onnx (opset 23): softmax(scale·Q·Kᵀ + mask)·V over heads. Inputs are [batch, heads, sequence, head
 * size], or [batch, sequence, heads × head size] as the output is then. The mask broadcasts to [batch, heads, queries,
 * keys]: true for a key to attend to, or floats to add. A query without any such key gets zeros.
 */
export const attention: Lowering = (builder, node) => {
  const [query, key, value, mask, ...others] = node.inputs as [string, string, string, ...string[]];
  if (others.some(Boolean)) throw cannotLower(node, 'keeps keys and values of earlier calls');
  if (intAttribute(node, 'is_causal', 0) !== 0) {
    throw cannotLower(node, 'attends to earlier tokens only, as a decoder does; expected an encoder');
  }
  if (floatAttribute(node, 'softcap', 0) !== 0) throw cannotLower(node, 'caps its scores');
  const q = headsOf(builder, node, query, 'q_num_heads');
  const k = headsOf(builder, node, key, 'kv_num_heads');
  const v = headsOf(builder, node, value, 'kv_num_heads');
  if (q.heads !== k.heads) throw cannotLower(node, `has ${q.heads} heads of queries, ${k.heads} of keys`);

  const scale = floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(sizeOf(builder, node, q.value));
  const turned = builder.op('Transpose', [k.value], { attributes: { perm: [0, 1, 3, 2] } });
  const scores = builder.op('Mul', [builder.op('MatMul', [q.value, turned]), builder.scalar(scale)]);
  const context = builder.op('MatMul', [probabilities(builder, scores, mask), v.value]);
  if (builder.typeOf(query)?.dims?.length === 4) return [context];
  const joined = intAttribute(node, 'q_num_heads', 0) * sizeOf(builder, node, v.value);
  return [joinHeads(builder, context, joined)];
};

/** A projection as [batch, heads, sequence, head size]. */
function headsOf(builder: GraphBuilder, node: Node, name: string, attribute: string) {
  const dims = builder.typeOf(name)?.dims;
  if (dims?.length === 4) return { value: name, heads: dims[1] };
  const heads = intAttribute(node, attribute, 0);
  return { value: splitHeads(builder, node, name, heads), heads };
}

function sizeOf(builder: GraphBuilder, node: Node, name: string): number {
  const size = builder.typeOf(name)?.dims?.[3];
  if (typeof size === 'number') return size;
  throw cannotLower(node, `has heads '${name}' of unknown size`);
}

function probabilities(builder: GraphBuilder, scores: string, mask: string | undefined): string {
  const softmax = (value: string) => builder.op('Softmax', [value], { attributes: { axis: -1 } });
  if (!mask) return softmax(scores);
  const none = builder.scalar(Number.NEGATIVE_INFINITY);
  const additive =
    builder.typeOf(mask)?.dtype === 'bool' ? builder.op('Where', [mask, builder.scalar(0), none]) : mask;
  const p = softmax(builder.op('Add', [scores, additive]));
  return builder.op('Where', [builder.op('IsNaN', [p]), builder.scalar(0), p]);
}
