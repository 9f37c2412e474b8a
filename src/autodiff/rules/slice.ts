import type { GradientRule, RuleContext } from '../rule.ts';

export const slice: GradientRule = (at) => {
  const rank = at.rank(at.input(0));
  const starts = at.constantInts(at.input(1));
  const count = starts?.length ?? at.dims(at.input(1))?.[0];
  if (typeof count !== 'number') return at.unsupported('the number of sliced axes is unknown');
  const all = Array.from({ length: count }, (_, axis) => axis);
  const axes = at.input(3) === '' ? all : at.constantInts(at.input(3));
  if (axes === undefined) return at.unsupported('its axes are not constant');
  const positive = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const steps = at.input(4) === '' ? all.map(() => 1) : at.constantInts(at.input(4));
  return [steps?.every((step) => step === 1) ? padded(at, positive, starts) : scattered(at, positive)];
};

/** Steps of 1 leave a block: zeros around it. */
function padded(at: RuleContext, axes: readonly number[], starts: readonly number[] | undefined): string {
  const { builder, shapes } = at;
  const x = at.input(0);
  const places = axes.map((axis, index) => {
    const start = starts?.[index];
    const dim = at.dims(x)![axis]!;
    if (start !== undefined && typeof dim === 'number') {
      return { axis, begin: Math.min(Math.max(start < 0 ? start + dim : start, 0), dim) };
    }
    if (start !== undefined && start >= 0) return { axis, begin: start };
    const given = element(at, 1, index);
    const size = shapes.dim(x, axis);
    const fromEnd = builder.op('Add', [given, size]);
    const shifted =
      start === undefined
        ? builder.op('Where', [builder.op('Less', [given, builder.ints(0)]), fromEnd, given])
        : fromEnd;
    const clamped = builder.op('Min', [builder.op('Max', [shifted, builder.ints(0)]), size]);
    return { axis, begin: clamped };
  });
  return shapes.padLike(at.outputGradient, x, places);
}

/** Other steps: the same slice of the positions 0, 1, 2, … tells where each element came from; one axis after the other. */
function scattered(at: RuleContext, axes: readonly number[]): string {
  const { builder, shapes } = at;
  const x = at.input(0);
  const rank = at.rank(x);
  let gradient = at.outputGradient;
  for (const [index, axis] of [...axes.entries()].reverse()) {
    const limit = builder.op('Squeeze', [shapes.dim(x, axis), builder.ints(0)]);
    const all = builder.op('Range', [builder.scalar(0, 'int64'), limit, builder.scalar(1, 'int64')]);
    const parts = [1, 2].map((input) => element(at, input, index));
    const positions = builder.op('Slice', [all, ...parts, builder.ints(0), element(at, 4, index)]);
    const aligned = new Array<number>(rank).fill(1);
    aligned[axis] = -1;
    const column = builder.op('Reshape', [positions, builder.ints(...aligned)]);
    const everywhere = builder.op('Expand', [column, shapes.of(gradient)]);
    const shape = shapes.concat(
      shapes.part(gradient, 0, axis),
      shapes.dim(x, axis),
      shapes.part(gradient, axis + 1, rank),
    );
    const zeros = shapes.zeros(shape, at.dtype(x));
    gradient = builder.op('ScatterElements', [zeros, everywhere, gradient], { attributes: { axis } });
  }
  return gradient;
}

/** One element of a vector input of the node, as a vector of one. */
function element(at: RuleContext, input: number, index: number): string {
  const constant = at.constantInts(at.input(input));
  if (constant) return at.builder.ints(constant[index]!);
  return at.builder.as(at.builder.op('Gather', [at.input(input), at.builder.ints(index)]), 'int64');
}
