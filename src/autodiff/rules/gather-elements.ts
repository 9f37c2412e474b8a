import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule } from '../rule.ts';

export const gatherElements: GradientRule = (at) => {
  const data = at.input(0);
  const zeros = at.shapes.zeros(at.shapes.of(data), at.dtype(data));
  const attributes = { axis: intAttribute(at.node, 'axis', 0), reduction: 'add' };
  return [at.builder.op('ScatterElements', [zeros, at.input(1), at.outputGradient], { attributes })];
};
