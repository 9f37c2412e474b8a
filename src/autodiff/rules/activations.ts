import type { GradientRule } from '../rule.ts';

/** 1 − y². */
export const tanh: GradientRule = (at) => {
  const y = at.output(0);
  const slope = at.builder.op('Sub', [at.scalar(1), at.builder.op('Mul', [y, y])]);
  return [at.builder.op('Mul', [at.outputGradient, slope])];
};

/** y·(1 − y). */
export const sigmoid: GradientRule = (at) => {
  const y = at.output(0);
  const slope = at.builder.op('Mul', [y, at.builder.op('Sub', [at.scalar(1), y])]);
  return [at.builder.op('Mul', [at.outputGradient, slope])];
};

/** 1 where y > 0, else 0. */
export const relu: GradientRule = (at) => {
  const positive = at.builder.op('Greater', [at.output(0), at.scalar(0)]);
  return [at.builder.op('Where', [positive, at.outputGradient, at.scalar(0)])];
};
