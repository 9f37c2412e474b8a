import type { GradientRule, RuleContext } from '../rule.ts';

/** d xᵉ = e·xᵉ⁻¹ dx + xᵉ·ln x de, where the second term is 0 at x = 0 as in PyTorch. */
export const pow: GradientRule = (at) => {
  const { builder } = at;
  const [x, exponent] = [at.input(0), at.input(1)];
  let base: string | undefined;
  if (at.needs(0)) base = builder.op('Mul', [at.outputGradient, slope(at, x, exponent)]);
  if (!at.needs(1)) return [base, undefined];
  const zero = at.scalar(0);
  const growth = builder.op('Mul', [at.output(0), builder.op('Log', [x])]);
  const safe = builder.op('Where', [builder.op('Equal', [x, zero]), zero, growth]);
  return [base, builder.op('Mul', [at.outputGradient, safe])];
};

function slope(at: RuleContext, x: string, exponent: string): string {
  const { builder } = at;
  const constant = at.constantScalar(exponent);
  if (constant === 2) return builder.op('Mul', [x, at.scalar(2)]);
  if (constant === 0.5) return builder.op('Div', [at.scalar(0.5), at.output(0)]);
  if (constant !== undefined) {
    const power = builder.op('Pow', [x, at.scalar(constant - 1)]);
    return builder.op('Mul', [power, at.scalar(constant)]);
  }
  if (at.dtype(exponent) !== at.dtype(x))
    at.unsupported('its exponent is neither constant nor of the type of its base');
  const power = builder.op('Pow', [x, builder.op('Sub', [exponent, at.scalar(1)])]);
  return builder.op('Mul', [power, exponent]);
}
