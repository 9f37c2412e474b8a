import type { Dim } from '../../graph/dims.ts';
import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/**
 * Adds gradients up at the gathered places. ScatterElements is used for it: the CPU's ScatterND adds to one
 * place from several threads at once.
 */
export const gather: GradientRule = (at) => {
  const { builder, shapes } = at;
  const [data, indices] = [at.input(0), at.input(1)];
  const rank = at.rank(data);
  const axis = intAttribute(at.node, 'axis', 0) + (intAttribute(at.node, 'axis', 0) < 0 ? rank : 0);
  const dims = at.dims(data)!;
  const places = at.constantInts(indices);
  if (places?.length === 1) return [padded(at, axis, places[0]!)];

  if (at.fused && rank === 2 && axis === 0 && at.dtype(data) === 'float32') {
    const inputs = [builder.as(indices, 'int64'), at.outputGradient, shapes.part(data, 0, 1)];
    return [builder.op('EmbeddingGrad', inputs, { domain: 'sesd' })];
  }
  // [before, indices..., after] → [before, all indices, after]
  const flat: Dim[] = [...dims.slice(0, axis), countOf(at, indices), ...dims.slice(axis + 1)];
  const updates = shapes.reshape(at.outputGradient, flat, () =>
    shapes.concat(shapes.part(data, 0, axis), builder.ints(-1), shapes.part(data, axis + 1, rank)),
  );
  return [scatterAlong(at, data, axis, indices, updates)];
};

/** The number of indices, or a symbol that is no dim of the gradient, so that Reshape infers it. */
function countOf(at: RuleContext, indices: string): Dim {
  const dims = at.dims(indices);
  return dims?.every((dim) => typeof dim === 'number') ? dims.reduce((a, b) => a * b, 1) : 'indices';
}

/** Zeros like `data` with `updates` added at the positions `indices` of `axis`. */
export function scatterAlong(
  at: RuleContext,
  data: string,
  axis: number,
  indices: string,
  updates: string,
): string {
  const { builder, shapes } = at;
  const aligned = new Array<number>(at.rank(data)).fill(1);
  aligned[axis] = -1;
  const column = builder.op('Reshape', [indices, builder.ints(...aligned)]);
  const everywhere = builder.op('Expand', [column, shapes.of(updates)]);
  const zeros = shapes.zeros(shapes.of(data), at.dtype(data));
  return builder.op('ScatterElements', [zeros, everywhere, updates], {
    attributes: { axis, reduction: 'add' },
  });
}

/** One constant position, like the first token of each sequence: zeros around the gradient. */
function padded(at: RuleContext, axis: number, index: number): string {
  const { builder, shapes } = at;
  const data = at.input(0);
  const rank = at.rank(data);
  const gradient = at.outputGradient;
  const slab =
    at.dims(gradient)?.length === rank - 1
      ? builder.op('Unsqueeze', [gradient, builder.ints(axis)])
      : shapes.reshape(
          gradient,
          at.dims(data)!.map((dim, i) => (i === axis ? 1 : dim)),
          () => shapes.concat(shapes.part(data, 0, axis), builder.ints(1), shapes.part(data, axis + 1, rank)),
        );
  const dim = at.dims(data)![axis]!;
  let begin: number | string = index;
  if (index < 0) {
    begin =
      typeof dim === 'number'
        ? dim + index
        : builder.op('Add', [shapes.dim(data, axis), builder.ints(index)]);
  }
  return shapes.padLike(slab, data, [{ axis, begin }]);
}
