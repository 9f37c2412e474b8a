import type { GradientRule } from '../rule.ts';

/** erf′(x) = 2/√π · exp(−x²). */
export const erf: GradientRule = (at) => {
  const { builder } = at;
  const square = builder.op('Mul', [at.input(0), at.input(0)]);
  const bell = builder.op('Exp', [builder.op('Neg', [square])]);
  const slope = builder.op('Mul', [bell, at.scalar(2 / Math.sqrt(Math.PI))]);
  return [builder.op('Mul', [at.outputGradient, slope])];
};
