import type { GradientRule } from '../rule.ts';

/** Expand is broadcasting: the walker sums it back. */
export const expand: GradientRule = ({ outputGradient }) => [outputGradient];

/** [r₀·d₀, r₁·d₁, …] seen as [r₀, d₀, r₁, d₁, …] and summed over the repeats. */
export const tile: GradientRule = (at) => {
  const { builder, shapes } = at;
  const x = at.input(0);
  const rank = at.rank(x);
  if (rank === 0) return [at.outputGradient];
  const repeats = at.constantInts(at.input(1));
  const dims = at.dims(x)!;
  const interleaved = repeats && dims.flatMap((dim, axis) => [repeats[axis]!, dim]);
  const split = shapes.reshape(at.outputGradient, interleaved, () => {
    const repeat = (axis: number) => builder.op('Gather', [at.input(1), builder.ints(axis)]);
    return shapes.concat(...dims.flatMap((_, axis) => [repeat(axis), shapes.dim(x, axis)]));
  });
  const axes = builder.ints(...dims.map((_, axis) => 2 * axis));
  return [builder.op('ReduceSum', [split, axes], { attributes: { keepdims: 0 } })];
};
