import type { GradientRule } from '../rule.ts';

/** Expand is broadcasting: the walker sums it back. */
export const expand: GradientRule = ({ outputGradient }) => [outputGradient];

/** [r₀·d₀, r₁·d₁, …] seen as [r₀, d₀, r₁, d₁, …] and summed over the repeats. */
export const tile: GradientRule = (at) => {
  const { builder, shapes } = at;
  const x = at.input(0);
  const rank = at.rank(x);
  const repeats = at.constantInts(at.input(1));
  const dims = at.dims(x)!;
  const interleaved = repeats && dims.flatMap((dim, axis) => [repeats[axis]!, dim]);
  const split = shapes.reshape(at.outputGradient, interleaved, () => {
    const column = (vector: string) => builder.op('Unsqueeze', [vector, builder.ints(1)]);
    const pairs = builder.op('Concat', [column(at.input(1)), column(shapes.of(x))], {
      attributes: { axis: 1 },
    });
    return builder.op('Reshape', [pairs, builder.ints(-1)]);
  });
  const axes = builder.ints(...dims.map((_, axis) => 2 * axis));
  const sum = builder.op('ReduceSum', [split, axes], { attributes: { keepdims: 0 } });
  return [rank === 0 ? at.outputGradient : sum];
};
