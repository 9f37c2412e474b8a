import type { GradientRule } from '../rule.ts';

/** Passes where the value was not clipped, bounds included. */
export const clip: GradientRule = (at) => {
  if (at.needs(1) || at.needs(2)) at.unsupported('its bounds are trained');
  const kept = at.builder.op('Equal', [at.input(0), at.output(0)]);
  return [at.builder.op('Where', [kept, at.outputGradient, at.scalar(0)])];
};
