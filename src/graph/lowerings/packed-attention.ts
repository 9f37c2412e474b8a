import { intAttribute, intsAttribute } from '../graph.ts';
import { attend } from './attention-core.ts';
import { cannotLower, type Lowering } from './lowering.ts';

/** com.microsoft::Attention: the three projections are one product with packed weights [in, q + k + v]. */
export const packedAttention: Lowering = (builder, node) => {
  const [input, weight, bias, mask, past, attentionBias, pastLength] = node.inputs;
  if (past || pastLength || node.outputs[1])
    throw cannotLower(node, 'keeps keys and values of earlier calls');
  if (intAttribute(node, 'do_rotary', 0) !== 0) throw cannotLower(node, 'rotates its queries and keys');
  const packed = builder.typeOf(weight!)?.dims?.at(-1);
  const sizes =
    intsAttribute(node, 'qkv_hidden_sizes') ??
    (typeof packed === 'number' ? [packed / 3, packed / 3, packed / 3] : undefined);
  if (sizes === undefined) throw cannotLower(node, `has weights '${weight}' of unknown size`);
  const product = builder.op('MatMul', [input!, weight!]);
  const [query, key, value] = builder.multi(
    'Split',
    [bias ? builder.op('Add', [product, bias]) : product, builder.ints(...sizes)],
    3,
    { attributes: { axis: -1 } },
  ) as [string, string, string];
  return [attend(builder, node, { query, key, value, mask, bias: attentionBias })];
};
