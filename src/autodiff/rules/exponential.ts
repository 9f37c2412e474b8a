import type { GradientRule } from '../rule.ts';

export const sqrt: GradientRule = (at) => {
  const half = at.builder.op('Mul', [at.outputGradient, at.scalar(0.5)]);
  return [at.builder.op('Div', [half, at.output(0)])];
};

export const exp: GradientRule = (at) => [at.builder.op('Mul', [at.outputGradient, at.output(0)])];

export const log: GradientRule = (at) => [at.builder.op('Div', [at.outputGradient, at.input(0)])];

/** d(1/x) = −(1/x)² dx. */
export const reciprocal: GradientRule = (at) => {
  const square = at.builder.op('Mul', [at.output(0), at.output(0)]);
  return [at.builder.op('Neg', [at.builder.op('Mul', [at.outputGradient, square])])];
};
