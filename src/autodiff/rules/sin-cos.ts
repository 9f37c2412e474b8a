import type { GradientRule } from '../rule.ts';

export const sin: GradientRule = (at) => [
  at.builder.op('Mul', [at.outputGradient, at.builder.op('Cos', [at.input(0)])]),
];

export const cos: GradientRule = (at) => [
  at.builder.op('Neg', [at.builder.op('Mul', [at.outputGradient, at.builder.op('Sin', [at.input(0)])])]),
];
