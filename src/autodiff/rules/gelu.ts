import { stringAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/** √(2/π) and the cubic coefficient of the tanh form (Hendrycks and Gimpel, arXiv 1606.08415). */
const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBIC = 0.044715;

/** Φ(x) + x·φ(x). */
function exactSlope(at: RuleContext, x: string): string {
  const op = (name: string, ...inputs: string[]) => at.builder.op(name, inputs);
  const erf = op('Erf', op('Mul', x, at.scalar(Math.SQRT1_2)));
  const cumulative = op('Mul', op('Add', erf, at.scalar(1)), at.scalar(0.5));
  const bell = op('Exp', op('Mul', op('Mul', x, x), at.scalar(-0.5)));
  const density = op('Mul', bell, at.scalar(1 / Math.sqrt(2 * Math.PI)));
  return op('Add', cumulative, op('Mul', x, density));
}

/** Of y = x/2·(1 + t), t = tanh(s·(x + c·x³)): (1 + t)/2 + x/2·(1 − t²)·s·(1 + 3c·x²). */
function tanhSlope(at: RuleContext, x: string): string {
  const op = (name: string, ...inputs: string[]) => at.builder.op(name, inputs);
  const square = op('Mul', x, x);
  const cubic = op('Add', op('Mul', square, at.scalar(TANH_SCALE * TANH_CUBIC)), at.scalar(TANH_SCALE));
  const t = op('Tanh', op('Mul', x, cubic));
  const inner = op('Add', op('Mul', square, at.scalar(3 * TANH_SCALE * TANH_CUBIC)), at.scalar(TANH_SCALE));
  const rising = op('Mul', op('Mul', x, op('Sub', at.scalar(1), op('Mul', t, t))), inner);
  return op('Mul', op('Add', op('Add', t, at.scalar(1)), rising), at.scalar(0.5));
}

/** Gelu of opset 20 and com.microsoft::Gelu (exact). */
export const gelu: GradientRule = (at) => {
  const approximate = stringAttribute(at.node, 'approximate', 'none') === 'tanh';
  const slope = approximate ? tanhSlope(at, at.input(0)) : exactSlope(at, at.input(0));
  return [at.builder.op('Mul', [at.outputGradient, slope])];
};

function ofBiased(at: RuleContext, slope: (at: RuleContext, x: string) => string): [string, string] {
  const x = at.input(1) === '' ? at.input(0) : at.builder.op('Add', [at.input(0), at.input(1)]);
  const gradient = at.builder.op('Mul', [at.outputGradient, slope(at, x)]);
  return [gradient, gradient];
}

/** com.microsoft::BiasGelu: exact, of x + bias. */
export const biasGelu: GradientRule = (at) => ofBiased(at, exactSlope);

/** com.microsoft::FastGelu: the tanh form, of x + bias where there is one. */
export const fastGelu: GradientRule = (at) => ofBiased(at, tanhSlope);
