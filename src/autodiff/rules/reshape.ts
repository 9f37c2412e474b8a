import type { GradientRule } from '../rule.ts';

/** Reshape and Flatten. */
export const reshape: GradientRule = (at) => [at.shapes.reshapeLike(at.outputGradient, at.input(0))];

/** Squeeze and Unsqueeze are each other's inverse; without axes only the input's shape tells. */
export const squeeze: GradientRule = (at) => [
  at.input(1) === ''
    ? at.shapes.reshapeLike(at.outputGradient, at.input(0))
    : at.builder.op('Unsqueeze', [at.outputGradient, at.input(1)]),
];

export const unsqueeze: GradientRule = (at) => [at.builder.op('Squeeze', [at.outputGradient, at.input(1)])];
