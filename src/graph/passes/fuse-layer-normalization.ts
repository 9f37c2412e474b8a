import type { GraphBuilder } from '../builder.ts';
import { findLayerNormalizations } from '../patterns/layer-normalization.ts';
import { GraphView } from '../view.ts';
import { replaceNode } from './replace-node.ts';

/** Turns spelled-out layer normalization into one LayerNormalization. Returns how many the graph has then. */
export function fuseLayerNormalization(builder: GraphBuilder): number {
  const matches = findLayerNormalizations(new GraphView(builder.graph));
  for (const match of matches) {
    if (match.root.op === 'LayerNormalization') continue;
    replaceNode(builder, match.root, (name) => {
      builder.op('LayerNormalization', [match.input, match.scale, ...(match.shift ? [match.shift] : [])], {
        name,
        attributes: { axis: -1, epsilon: { float: match.epsilon } },
      });
    });
  }
  return matches.length;
}
