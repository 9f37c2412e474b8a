import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

function sumOverAxis(at: RuleContext, value: string): string {
  const axis = at.builder.ints(intAttribute(at.node, 'axis', -1));
  return at.builder.op('ReduceSum', [value, axis], { attributes: { keepdims: 1 } });
}

/** dX = Y⊙dY − Y·Σ(Y⊙dY). */
export const softmax: GradientRule = (at) => {
  const y = at.output(0);
  const weighted = at.builder.op('Mul', [at.outputGradient, y]);
  const common = at.builder.op('Mul', [y, sumOverAxis(at, weighted)]);
  return [at.builder.op('Sub', [weighted, common])];
};

/** dX = dY − exp(Y)·Σ dY. */
export const logSoftmax: GradientRule = (at) => {
  const probabilities = at.builder.op('Exp', [at.output(0)]);
  const common = at.builder.op('Mul', [probabilities, sumOverAxis(at, at.outputGradient)]);
  return [at.builder.op('Sub', [at.outputGradient, common])];
};
