import { intAttribute } from '../../graph/graph.ts';
import type { Gradient, GradientRule, RuleContext } from '../rule.ts';

/** The reduced gradient with the reduced axes back as axes of size 1. */
function unreduced(at: RuleContext, gradient: string): Gradient {
  const axes = at.input(1);
  const keepdims = intAttribute(at.node, 'keepdims', 1) !== 0;
  // Without axes everything was reduced: a scalar broadcasts as it is.
  return { broadcast: keepdims || axes === '' ? gradient : at.builder.op('Unsqueeze', [gradient, axes]) };
}

/** Whether the node reduces nothing: no axes, and asked to take that as none. */
function isIdentity(at: RuleContext): boolean {
  if (intAttribute(at.node, 'noop_with_empty_axes', 0) === 0) return false;
  return at.input(1) === '' || at.constantInts(at.input(1))?.length === 0;
}

export const reduceSum: GradientRule = (at) => [
  isIdentity(at) ? at.outputGradient : unreduced(at, at.outputGradient),
];

export const reduceMean: GradientRule = (at) => {
  if (isIdentity(at)) return [at.outputGradient];
  return [unreduced(at, at.builder.op('Div', [at.outputGradient, reducedCount(at)]))];
};

/** How many elements go into each mean, as a scalar of the input's type. */
function reducedCount(at: RuleContext): string {
  const x = at.input(0);
  const dims = at.dims(x);
  const axes = at.input(1) === '' ? dims?.map((_, axis) => axis) : at.constantInts(at.input(1));
  const sizes = dims && axes?.map((axis) => dims[axis < 0 ? axis + dims.length : axis]);
  if (sizes?.every((size) => typeof size === 'number')) {
    return at.scalar(sizes.reduce((product, size) => product * size, 1));
  }
  const size = (name: string) => at.builder.op('Size', [name]);
  const count = at.builder.op('Div', [size(x), size(at.output(0))]);
  return at.builder.cast(count, at.dtype(x));
}
