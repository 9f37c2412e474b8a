import type { GradientRule } from '../rule.ts';

/** d(a/b) = da/b − (a/b)·db/b. */
export const div: GradientRule = (at) => {
  const scaled = at.builder.op('Div', [at.outputGradient, at.input(1)]);
  if (!at.needs(1)) return [scaled, undefined];
  return [scaled, at.builder.op('Neg', [at.builder.op('Mul', [scaled, at.output(0)])])];
};
