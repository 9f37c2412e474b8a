import { intsAttribute } from '../../graph/graph.ts';
import type { GradientRule } from '../rule.ts';

export const transpose: GradientRule = (at) => {
  const perm = intsAttribute(at.node, 'perm');
  const inverse = perm?.map((_, axis) => perm.indexOf(axis));
  return [at.builder.op('Transpose', [at.outputGradient], { attributes: { perm: inverse } })];
};
