import { hasUnbiasedAttention } from '../graph/patterns/attention.ts';
import { findGelus } from '../graph/patterns/gelu.ts';
import type { GraphView } from '../graph/view.ts';
import type { Head } from './head.ts';
import { type LinearMatch, matchLinear } from './outputs.ts';
import type { Positions } from './positions.ts';

/**
 * Sees to the dense layer with an activation that a classifier has of its own (RoBERTa's, DistilBERT's, ELECTRA's and
 * MPNet's). One that was never trained learns with the head's rate: its bias is all zeros then, as where a body that
 * knows masked words only was exported as a classifier. A trained one is part of what the model knows, like BERT's
 * pooler, and keeps the body's rate.
 *
 * Returns what the head drops out: the classifier's input, and that of its dense layer; DistilBERT's and DeBERTa's,
 * which its attention tells from ELECTRA's, drop only the output of that.
 */
export function takeInDense(view: GraphView, head: Head, positions: Positions): string[] {
  const isOwn = head.kind === 'existing' || head.kind === 'resized';
  const dense = isOwn ? findDense(view, head.classifierInput) : undefined;
  // BERT's pooler is RoBERTa's and MPNet's layer in all but name: what tells them apart is how they count positions.
  if (!dense || (dense.activation === 'Tanh' && !positions.counted)) return [head.classifierInput];
  if (isZero(view, dense.bias)) head.parameters.push(dense.weight, dense.bias);
  const drops = dense.activation === 'Tanh' || (dense.activation === 'Gelu' && hasUnbiasedAttention(view));
  return drops ? [dense.input, head.classifierInput] : [head.classifierInput];
}

type Dense = LinearMatch & { bias: string; activation: 'Tanh' | 'Relu' | 'Gelu' };

function findDense(view: GraphView, output: string): Dense | undefined {
  const node = view.producerOf(output, 'Tanh', 'Relu');
  const gelu = node ? undefined : findGelus(view).find((match) => match.output === output);
  const linear = matchLinear(view, node?.inputs[0] ?? gelu?.input ?? '');
  if (linear?.bias === undefined || view.rank(linear.input) !== 2) return undefined;
  return { ...linear, bias: linear.bias, activation: node ? (node.op as 'Tanh' | 'Relu') : 'Gelu' };
}

function isZero(view: GraphView, name: string): boolean {
  return view.graph.initializers.get(name)?.bytes.every((byte) => byte === 0) ?? false;
}
