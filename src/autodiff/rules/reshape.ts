import type { GradientRule, RuleContext } from '../rule.ts';

/** Reshape and Flatten. */
export const reshape: GradientRule = (at) => [at.shapes.reshapeLike(at.outputGradient, at.input(0))];

/** Squeeze and Unsqueeze are each other's inverse. */
export const squeeze: GradientRule = (at) => [
  dropsKnownOnes(at)
    ? at.builder.op('Unsqueeze', [at.outputGradient, at.input(1)])
    : at.shapes.reshapeLike(at.outputGradient, at.input(0)),
];

/** Whether the axes are given, and inference agrees that their sizes are 1. */
function dropsKnownOnes(at: RuleContext): boolean {
  const dims = at.dims(at.input(0));
  const axes = at.constantInts(at.input(1));
  return axes?.every((axis) => dims?.at(axis) === 1) ?? false;
}

export const unsqueeze: GradientRule = (at) => [at.builder.op('Squeeze', [at.outputGradient, at.input(1)])];
