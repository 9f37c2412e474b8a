import type { GradientRule } from '../rule.ts';

export const neg: GradientRule = (at) => [at.builder.op('Neg', [at.outputGradient])];
