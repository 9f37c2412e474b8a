import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute } from '../graph.ts';
import { type AttentionMask, type AttentionMatch, findAttentions } from '../patterns/attention.ts';
import { GraphView } from '../view.ts';
import { replaceNode } from './replace-node.ts';

/**
 * Turns softmax(scale·q·kᵀ + mask)·v over heads, with a `sesd::Dropout` on the probabilities if there is
 * one, into `sesd::Attention` on the flat projections. Returns how many.
 */
export function fuseAttention(builder: GraphBuilder): number {
  const view = new GraphView(builder.graph);
  const matches = findAttentions(view);
  const masks = new Map<string, string>();
  for (const match of matches) {
    const mask = match.mask ? additiveMask(builder, match.mask, masks) : '';
    emit(builder, match, mask);
  }
  return matches.length;
}

function emit(builder: GraphBuilder, match: AttentionMatch, mask: string): void {
  const { dropout } = match;
  replaceNode(builder, match.root, (name) => {
    builder.multi('Attention', [match.query, match.key, match.value, mask, dropout?.inputs[1] ?? ''], 2, {
      domain: 'sesd',
      name,
      attributes: {
        num_heads: match.heads,
        scale: { float: match.scale },
        ...(dropout && {
          ratio: { float: floatAttribute(dropout, 'ratio', 0) },
          site: intAttribute(dropout, 'site', 0),
        }),
      },
    });
  });
}

/** The mask as a float tensor to add; layers that share a condition share it. */
function additiveMask(builder: GraphBuilder, mask: AttentionMask, shared: Map<string, string>): string {
  if (mask.kind === 'additive') return mask.value;
  const key = `${mask.condition} ${mask.keepIf} ${mask.fill}`;
  let value = shared.get(key);
  if (value === undefined) {
    const zero = builder.scalar(0);
    const branches = mask.keepIf ? [zero, mask.fill] : [mask.fill, zero];
    value = builder.op('Where', [mask.condition, ...branches]);
    shared.set(key, value);
  }
  return value;
}
