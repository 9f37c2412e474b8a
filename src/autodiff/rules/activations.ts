import type { GradientRule, RuleContext } from '../rule.ts';

/** 1 − y². */
export function tanhGradient(at: RuleContext, gradient: string, y: string): string {
  const slope = at.builder.op('Sub', [at.scalar(1), at.builder.op('Mul', [y, y])]);
  return at.builder.op('Mul', [gradient, slope]);
}

/** y·(1 − y). */
export function sigmoidGradient(at: RuleContext, gradient: string, y: string): string {
  const slope = at.builder.op('Mul', [y, at.builder.op('Sub', [at.scalar(1), y])]);
  return at.builder.op('Mul', [gradient, slope]);
}

/** 1 where y > 0, else 0. */
export function reluGradient(at: RuleContext, gradient: string, y: string): string {
  const positive = at.builder.op('Greater', [y, at.scalar(0)]);
  return at.builder.op('Where', [positive, gradient, at.scalar(0)]);
}

export const tanh: GradientRule = (at) => [tanhGradient(at, at.outputGradient, at.output(0))];
export const sigmoid: GradientRule = (at) => [sigmoidGradient(at, at.outputGradient, at.output(0))];
export const relu: GradientRule = (at) => [reluGradient(at, at.outputGradient, at.output(0))];
