import type { GradientRule } from '../rule.ts';

export const add: GradientRule = ({ outputGradient }) => [outputGradient, outputGradient];

export const sub: GradientRule = (at) => [
  at.outputGradient,
  at.needs(1) ? at.builder.op('Neg', [at.outputGradient]) : undefined,
];

/** Variadic Sum. */
export const sum: GradientRule = (at) => at.node.inputs.map(() => at.outputGradient);
