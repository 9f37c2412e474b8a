import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule } from '../rule.ts';

/**
 * The index tuples become positions in the data with its indexed axes made one, so that ScatterElements can
 * add there: ScatterND of the CPU adds to one place from several threads at once.
 */
export const gatherND: GradientRule = (at) => {
  const { builder, shapes } = at;
  if (intAttribute(at.node, 'batch_dims', 0) !== 0) at.unsupported('batch_dims other than 0 have no rule');
  const [data, indices] = [at.input(0), at.input(1)];
  const rank = at.rank(data);
  const depth = at.dims(indices)?.at(-1);
  if (typeof depth !== 'number') return at.unsupported('the length of its index tuples is unknown');

  const indexed = shapes.part(data, 0, depth);
  const strides = Array.from({ length: depth }, (_, axis) =>
    axis === depth - 1
      ? builder.ints(1)
      : builder.op('ReduceProd', [shapes.part(data, axis + 1, depth), builder.ints(0)], {
          attributes: { keepdims: 1 },
        }),
  );
  // Mod takes the sign of the divisor: negative indices count from the end.
  const wrapped = builder.op('Mod', [indices, indexed]);
  const weighted = builder.op('Mul', [wrapped, shapes.concat(...strides)]);
  const positions = builder.op('ReduceSum', [weighted, builder.ints(-1)], { attributes: { keepdims: 0 } });

  const rows = builder.op('Reshape', [positions, builder.ints(-1, 1)]);
  const rest = builder.op(
    'ReduceProd',
    [shapes.concat(shapes.part(data, depth, rank), builder.ints(1)), builder.ints(0)],
    {
      attributes: { keepdims: 1 },
    },
  );
  const updates = builder.op('Reshape', [at.outputGradient, shapes.concat(builder.ints(-1), rest)]);
  const count = builder.op('ReduceProd', [indexed, builder.ints(0)], { attributes: { keepdims: 1 } });
  const zeros = shapes.zeros(shapes.concat(count, rest), at.dtype(data));
  const everywhere = builder.op('Expand', [rows, shapes.of(updates)]);
  const scattered = builder.op('ScatterElements', [zeros, everywhere, updates], {
    attributes: { axis: 0, reduction: 'add' },
  });
  return [shapes.reshapeLike(scattered, data)];
};
