import type { Attribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

// Gradients of the fused ops, by the ops native/kernels/OPS.md pairs with them.

/** Appends the gradient op with some of the forward node's attributes; absent inputs at the end are left out. */
function gradientOp(
  at: RuleContext,
  op: string,
  inputs: readonly string[],
  outputCount: number,
  attributeNames: readonly string[] = [],
): string[] {
  const { builder } = at;
  const outputs = Array.from({ length: outputCount }, () => builder.freshName(op));
  const kept = attributeNames.flatMap((name): [string, Attribute][] => {
    const attribute = at.node.attributes.get(name);
    return attribute ? [[name, attribute]] : [];
  });
  const count = inputs.findLastIndex((input) => input !== '') + 1;
  builder.append({
    name: builder.freshName(`node_${op}`),
    op,
    domain: 'sesd',
    inputs: inputs.slice(0, count),
    outputs,
    attributes: new Map(kept),
  });
  return outputs;
}

export const fusedBiasGelu: GradientRule = (at) =>
  gradientOp(at, 'BiasGeluGrad', [at.outputGradient, at.output(1)], 2);

export const attention: GradientRule = (at) => {
  if (at.needs(3)) at.unsupported('its mask depends on trained parameters');
  const [q, k, v, mask, key, firsts, bias] = [0, 1, 2, 3, 4, 5, 6].map((index) => at.input(index));
  const inputs = [q!, k!, v!, mask!, key!, at.output(0), at.output(1), at.outputGradient, firsts!, bias!];
  const attributes = ['num_heads', 'scale', 'ratio', 'site'];
  const [dQ, dK, dV, dBias] = gradientOp(at, 'AttentionGrad', inputs, at.needs(6) ? 4 : 3, attributes);
  return [dQ, dK, dV, undefined, undefined, undefined, dBias];
};

/** Inputs x, bias, residual, scale, shift; the gradient op returns theirs in this order. */
export const residualLayerNormalization: GradientRule = (at) => {
  const inputs = [at.outputGradient, at.output(1), at.output(2), at.input(3), at.input(5)];
  return gradientOp(at, 'ResidualLayerNormalizationGrad', inputs, 5, ['ratio', 'site']);
};
