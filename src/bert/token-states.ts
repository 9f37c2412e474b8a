import { findLayerNormalizations } from '../graph/patterns/layer-normalization.ts';
import type { GraphView } from '../graph/view.ts';

/**
 * The states [batch, sequence, hidden] that the heads of a graph read (a classifier, a masked language model, a
 * tagger, a reader of spans): the last layer normalization above a residual sum. The transform of a language
 * model's head ends in a normalization too, but of a dense layer's output.
 */
export function findTokenStates(view: GraphView): string | undefined {
  return findLayerNormalizations(view).findLast((match) => {
    const operands = view.producerOf(match.input, 'Add')?.inputs;
    return view.rank(match.output) === 3 && operands?.every((operand) => !view.isInitializer(operand));
  })?.output;
}
