import type { GraphBuilder } from '../builder.ts';
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

/** x and b when `value` is x + b with a vector b of the file, and x has the sum's shape. */
export function biasAddition(view: GraphView, value: string): { source: string; bias: string } | undefined {
  const add = view.producerOf(value, 'Add');
  if (!add) return undefined;
  const rank = view.rank(value);
  const at = add.inputs.findIndex((input) => view.isInitializer(input) && view.rank(input) === 1);
  const source = add.inputs[1 - at];
  if (at < 0 || source === undefined || view.rank(source) !== rank || view.isInitializer(source))
    return undefined;
  const width = view.graph.types.get(source)?.dims?.at(-1);
  const bias = add.inputs[at]!;
  return width === view.graph.types.get(bias)?.dims?.[0] ? { source, bias } : undefined;
}
