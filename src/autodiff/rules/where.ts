import type { GradientRule } from '../rule.ts';

export const where: GradientRule = (at) => {
  const { builder } = at;
  const zero = at.scalar(0, at.output(0));
  const condition = at.input(0);
  return [
    undefined,
    at.needs(1) ? builder.op('Where', [condition, at.outputGradient, zero]) : undefined,
    at.needs(2) ? builder.op('Where', [condition, zero, at.outputGradient]) : undefined,
  ];
};
