import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute } from '../graph.ts';
import { biasAddition } from '../patterns/bias-addition.ts';
import { findLayerNormalizations } from '../patterns/layer-normalization.ts';
import { GraphView } from '../view.ts';

import { replaceNode } from './replace-node.ts';

/**
 * Turns LayerNormalization(dropout(x + bias) + residual), the end of each BERT sublayer, into
 * `sesd::ResidualLayerNormalization`; bias and dropout may be absent. Returns how many.
 */
export function fuseResidualLayerNormalization(builder: GraphBuilder): number {
  const view = new GraphView(builder.graph);
  let count = 0;
  for (const match of findLayerNormalizations(view)) {
    const { shift } = match;
    const sum = view.producerOf(match.input, 'Add');
    if (!sum || shift === undefined || view.soleUser(match.input) === undefined) continue;
    const branches = sum.inputs.map((operand) => {
      const dropout = view.soleUser(operand) && view.producerOf(operand, 'sesd::Dropout');
      const inner = dropout ? dropout.inputs[0]! : operand;
      return { dropout, biased: view.soleUser(inner) && biasAddition(view, inner), inner };
    });
    // the branch that gives most to fuse; embeddings sums have neither bias nor dropout
    const at = branches.findIndex((branch) => branch.biased);
    const index = at >= 0 ? at : branches.findIndex((branch) => branch.dropout);
    const residual = sum.inputs[1 - index];
    if (index < 0 || residual === undefined || !sameShape(view, residual, match.input)) continue;
    const { dropout, biased, inner } = branches[index]!;
    if (!sameShape(view, biased?.source ?? inner, match.input)) continue;
    replaceNode(builder, match.root, (name) => {
      builder.multi(
        'ResidualLayerNormalization',
        [biased?.source ?? inner, biased?.bias ?? '', residual, match.scale, shift, dropout?.inputs[1] ?? ''],
        3,
        {
          domain: 'sesd',
          name,
          attributes: {
            epsilon: { float: match.epsilon },
            ...(dropout && {
              ratio: { float: floatAttribute(dropout, 'ratio', 0) },
              site: intAttribute(dropout, 'site', 0),
            }),
          },
        },
      );
    });
    count++;
  }
  return count;
}

function sameShape(view: GraphView, a: string, b: string): boolean {
  const left = view.graph.types.get(a)?.dims;
  const right = view.graph.types.get(b)?.dims;
  return (
    left !== undefined && left.length === right?.length && left.every((dim, axis) => dim === right[axis])
  );
}
