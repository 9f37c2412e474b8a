import type { GradientRule } from '../rule.ts';

export const abs: GradientRule = (at) => [
  at.builder.op('Mul', [at.outputGradient, at.builder.op('Sign', [at.input(0)])]),
];
