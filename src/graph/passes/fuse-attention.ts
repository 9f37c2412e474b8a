import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute } from '../graph.ts';
import {
  type AttentionBias,
  type AttentionMask,
  type AttentionMatch,
  findAttentions,
  type Projection,
} from '../patterns/attention.ts';
import { GraphView } from '../view.ts';
import { replaceNode } from './replace-node.ts';

/**
 * Turns softmax(scale·q·kᵀ + mask + bias)·v over heads, with a `sesd::Dropout` on the probabilities if there is
 * one, into `sesd::Attention` on the flat projections. Returns how many.
 */
export function fuseAttention(builder: GraphBuilder): number {
  const view = new GraphView(builder.graph);
  const matches = findAttentions(view);
  const masks = new Map<string, string>();
  for (const match of matches) {
    const mask = match.mask ? additiveMask(builder, match.mask, masks) : '';
    emit(builder, match, [mask, match.bias ? fourAxes(builder, view, match.bias) : '']);
  }
  return matches.length;
}

function emit(builder: GraphBuilder, match: AttentionMatch, [mask, bias]: [string, string]): void {
  const { dropout } = match;
  const [query, key, value] = [match.query, match.key, match.value].map((each) => flat(builder, each)) as [
    string,
    string,
    string,
  ];
  const rank = builder.typeOf(match.root.outputs[0]!)?.dims?.length;
  replaceNode(builder, match.root, (name) => {
    const inputs = [query, key, value, mask, dropout?.inputs[1] ?? '', '', bias];
    const [context] = builder.multi('Attention', inputs, 2, {
      domain: 'sesd',
      ...(rank === 3 && { name }),
      attributes: {
        num_heads: match.heads,
        scale: { float: match.scale },
        ...(dropout && {
          ratio: { float: floatAttribute(dropout, 'ratio', 0) },
          site: intAttribute(dropout, 'site', 0),
        }),
      },
    });
    if (rank === 2) builder.op('Flatten', [context!], { name, attributes: { axis: 2 } });
  });
}

/** A projection as [batch, sequence, heads × head size]. */
function flat(builder: GraphBuilder, { value, order }: Projection): string {
  if (!order) return value;
  const inOrder = order.every((axis, index) => axis === index);
  const turned = inOrder ? value : builder.op('Transpose', [value], { attributes: { perm: order } });
  const [, , heads, size] = builder.typeOf(turned)!.dims as number[];
  return builder.op('Reshape', [turned, builder.ints(0, 0, heads! * size!)]);
}

/** A bias that broadcasts to [batch, heads, queries, keys]. */
function fourAxes(builder: GraphBuilder, view: GraphView, { value, split }: AttentionBias): string {
  if (split) return builder.op('Reshape', [value, split.inputs[1]!]);
  // the operator broadcasts by itself
  return view.producerOf(value, 'Expand')?.inputs[0] ?? value;
}

/** The mask as a float tensor to add; layers that share a condition share it. */
function additiveMask(builder: GraphBuilder, mask: AttentionMask, shared: Map<string, string>): string {
  if (mask.kind === 'additive') return mask.value;
  const key = `${mask.condition} ${mask.keepIf} ${mask.fill}`;
  let value = shared.get(key);
  if (value === undefined) {
    const zero = builder.scalar(0);
    const fill = mask.fill ?? builder.scalar(Number.NEGATIVE_INFINITY);
    const branches = mask.keepIf ? [zero, fill] : [fill, zero];
    value = builder.op('Where', [mask.condition, ...branches]);
    shared.set(key, value);
  }
  return value;
}
