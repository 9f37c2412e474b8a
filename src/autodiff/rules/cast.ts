import type { GradientRule } from '../rule.ts';

export const identity: GradientRule = ({ outputGradient }) => [outputGradient];

/** Between float types; casts to integers carry no gradient and are never asked. */
export const cast: GradientRule = (at) => [at.builder.cast(at.outputGradient, at.dtype(at.input(0)))];
