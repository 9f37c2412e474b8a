import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

interface Normalization {
  gradient: string;
  x: string;
  scale: string;
  mean: string;
  /** 1/σ. */
  invStdDev: string;
  /** Normalized axes, counted from the back. */
  axes: readonly number[];
}

/**
 * With x̂ = (x − μ)/σ and g = dY⊙scale: dX = (g − mean(g) − x̂·mean(g⊙x̂))/σ, dScale = Σ dY⊙x̂.
 * Returns dX and dY⊙x̂, which the walker sums to the shape of scale.
 */
function normalizationGradients(
  at: RuleContext,
  { gradient, x, scale, mean, invStdDev, axes }: Normalization,
  needs: { x: boolean; scale: boolean },
): { x: string | undefined; scale: string | undefined } {
  const { builder } = at;
  const op = (name: string, ...inputs: string[]) => builder.op(name, inputs);
  const average = (value: string) =>
    builder.op('ReduceMean', [value, builder.ints(...axes)], { attributes: { keepdims: 1 } });
  const normalized = op('Mul', op('Sub', x, mean), invStdDev);
  let byX: string | undefined;
  if (needs.x) {
    const g = op('Mul', gradient, scale);
    const along = op('Mul', normalized, average(op('Mul', g, normalized)));
    byX = op('Mul', op('Sub', op('Sub', g, average(g)), along), invStdDev);
  }
  return { x: byX, scale: needs.scale ? op('Mul', gradient, normalized) : undefined };
}

/** LayerNormalization of opset 17, from the mean and 1/σ that the forward op has anyway. */
export const layerNormalization: GradientRule = (at) => {
  const axes = normalizedAxes(at);
  const [x, scale] = [at.input(0), at.input(1)];
  const [mean, invStdDev] = [1, 2].map((index) => likeInput(at, at.output(index)));
  const gradient = at.outputGradients[0]!;
  if (at.fused && axes.length === 1 && at.dtype(x) === 'float32' && at.dims(scale)?.length === 1) {
    return at.builder.multi('LayerNormalizationGrad', [gradient, x, scale, mean!, invStdDev!], 3, {
      domain: 'sesd',
    });
  }
  const gradients = normalizationGradients(
    at,
    { gradient, x, scale, mean: mean!, invStdDev: invStdDev!, axes },
    { x: at.needs(0), scale: at.needs(1) },
  );
  return [gradients.x, gradients.scale, gradient];
};

function normalizedAxes(at: RuleContext): number[] {
  const axis = intAttribute(at.node, 'axis', -1);
  const count = axis < 0 ? -axis : at.rank(at.input(0)) - axis;
  return Array.from({ length: count }, (_, index) => index - count);
}

/** The statistics in the type of the input: half-precision inputs have them in float32. */
function likeInput(at: RuleContext, statistic: string): string {
  return at.builder.as(statistic, at.dtype(at.input(0)));
}
