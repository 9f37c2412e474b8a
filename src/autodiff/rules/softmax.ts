import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

function sumOverAxis(at: RuleContext, value: string): string {
  const axis = at.builder.ints(intAttribute(at.node, 'axis', -1));
  return at.builder.op('ReduceSum', [value, axis], { attributes: { keepdims: 1 } });
}

/** dX = Y⊙dY − Y·Σ(Y⊙dY). */
export const softmax: GradientRule = (at) => {
  const y = withoutNaN(at, at.output(0));
  const weighted = at.builder.op('Mul', [at.outputGradient, y]);
  const common = at.builder.op('Mul', [y, sumOverAxis(at, weighted)]);
  return [at.builder.op('Sub', [weighted, common])];
};

/**
 * A row of −∞ alone, a query without a key to attend to, is NaN; exporters of PyTorch's attention put 0 in its place by
 * Where(IsNaN(y), 0, y). That value has the gradient 0 there, and everywhere else it is y.
 */
function withoutNaN(at: RuleContext, y: string): string {
  const guard = at
    .users(y)
    .find(
      (node) =>
        node.op === 'Where' &&
        node.inputs[2] === y &&
        at.constantScalar(node.inputs[1]!) === 0 &&
        at.users(y).some((other) => other.op === 'IsNaN' && other.outputs[0] === node.inputs[0]),
    );
  return guard?.outputs[0] ?? y;
}

/** dX = dY − exp(Y)·Σ dY. */
export const logSoftmax: GradientRule = (at) => {
  const probabilities = at.builder.op('Exp', [at.output(0)]);
  const common = at.builder.op('Mul', [probabilities, sumOverAxis(at, at.outputGradient)]);
  return [at.builder.op('Sub', [at.outputGradient, common])];
};
