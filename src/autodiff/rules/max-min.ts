import type { GradientRule } from '../rule.ts';

/** Max and Min: the gradient goes to the operand that won; operands that tie and are both trained share it. */
export const maxMin: GradientRule = (at) => {
  const { builder } = at;
  const trained = at.node.inputs.map((_, index) => at.needs(index));
  const won = at.node.inputs.map((input) => builder.op('Equal', [input, at.output(0)]));
  if (trained.filter(Boolean).length === 1) {
    return won.map((mask, index) =>
      trained[index] ? builder.op('Where', [mask, at.outputGradient, at.scalar(0)]) : undefined,
    );
  }
  const counts = won.map((mask) => builder.op('Where', [mask, at.scalar(1), at.scalar(0)]));
  const share = builder.op('Div', [at.outputGradient, counts.reduce((a, b) => builder.op('Add', [a, b]))]);
  return won.map((mask, index) =>
    trained[index] ? builder.op('Where', [mask, share, at.scalar(0)]) : undefined,
  );
};
