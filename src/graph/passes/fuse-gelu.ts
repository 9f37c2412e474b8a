import type { GraphBuilder } from '../builder.ts';
import { biasAddition } from '../patterns/bias-addition.ts';
import { findGelus } from '../patterns/gelu.ts';
import { GraphView } from '../view.ts';
import { replaceNode } from './replace-node.ts';

/** Turns every spelling of GELU, with the bias addition before it, into `sesd::BiasGelu`. Returns how many. */
export function fuseGelu(builder: GraphBuilder): number {
  const view = new GraphView(builder.graph);
  const matches = findGelus(view);
  for (const match of matches) {
    const biased = biasAddition(view, match.input);
    replaceNode(builder, match.root, (name) => {
      builder.multi('BiasGelu', [biased?.source ?? match.input, biased?.bias ?? ''], 2, {
        domain: 'sesd',
        name,
        attributes: { approximate: match.approximate },
      });
    });
  }
  return matches.length;
}
