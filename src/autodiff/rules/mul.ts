import type { GradientRule } from '../rule.ts';

export const mul: GradientRule = (at) => [
  at.needs(0) ? at.builder.op('Mul', [at.outputGradient, at.input(1)]) : undefined,
  at.needs(1) ? at.builder.op('Mul', [at.outputGradient, at.input(0)]) : undefined,
];
