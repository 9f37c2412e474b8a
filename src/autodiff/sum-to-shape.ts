import type { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dims.ts';
import type { ShapeEmitter } from './shape-emitter.ts';

/** How a gradient's shape relates to that of the input it belongs to. */
export type Agreement =
  | { kind: 'equal' }
  /** Broadcast over these axes of the gradient, counted from the front. */
  | { kind: 'sum'; axes: number[] }
  /** Only a run can tell which axes are broadcast. */
  | { kind: 'dynamic' }
  | { kind: 'disagree' };

/** Compares a gradient's dims with the input's, aligned at the last axis. */
export function compareDims(
  gradient: readonly Dim[] | undefined,
  input: readonly Dim[] | undefined,
): Agreement {
  if (gradient === undefined || input === undefined) return { kind: 'dynamic' };
  const extra = gradient.length - input.length;
  if (extra < 0) return { kind: 'disagree' };
  const axes = Array.from({ length: extra }, (_, axis) => axis);
  let dynamic = false;
  for (const [axis, dim] of input.entries()) {
    const found = gradient[axis + extra]!;
    if (found === dim) continue;
    if (dim === 1) axes.push(axis + extra);
    else if (found === 1 || (typeof dim === 'number' && typeof found === 'number'))
      return { kind: 'disagree' };
    // A dim larger than 1 was not broadcast, so an unknown one beside it is equal at run time.
    else if (typeof dim === 'string') dynamic = true;
  }
  if (dynamic) return { kind: 'dynamic' };
  return axes.length === 0 ? { kind: 'equal' } : { kind: 'sum', axes };
}

/** Sums a gradient over the axes along which broadcasting repeated the input. */
export function sumToShape(
  gradient: string,
  input: string,
  agreement: Agreement,
  builder: GraphBuilder,
  shapes: ShapeEmitter,
): string {
  if (agreement.kind === 'sum') return sumStatically(gradient, input, agreement.axes, builder);
  return agreement.kind === 'dynamic' ? sumDynamically(gradient, input, builder, shapes) : gradient;
}

function sumStatically(
  gradient: string,
  input: string,
  axes: readonly number[],
  builder: GraphBuilder,
): string {
  const extra = builder.typeOf(gradient)!.dims!.length - builder.typeOf(input)!.dims!.length;
  const leadingOnly = axes.length === extra;
  const sum = builder.op('ReduceSum', [gradient, builder.ints(...axes)], {
    attributes: { keepdims: leadingOnly ? 0 : 1 },
  });
  return leadingOnly || extra === 0
    ? sum
    : builder.op('Squeeze', [sum, builder.ints(...axes.slice(0, extra))]);
}

/** Sums over every axis where the input has size 1 or none: a sum over a dim of 1 changes nothing. */
function sumDynamically(
  gradient: string,
  input: string,
  builder: GraphBuilder,
  shapes: ShapeEmitter,
): string {
  const shape = shapes.of(input);
  const extra =
    (builder.typeOf(gradient)?.dims?.length ?? Number.NaN) -
    (builder.typeOf(input)?.dims?.length ?? Number.NaN);
  let aligned: string;
  if (Number.isNaN(extra)) {
    const missing = builder.op('Sub', [
      builder.op('Shape', [shapes.of(gradient)]),
      builder.op('Shape', [shape]),
    ]);
    const ones = builder.op('ConstantOfShape', [missing], {
      attributes: { value: { dtype: 'int64', dims: [1], bytes: new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]) } },
    });
    aligned = builder.op('Concat', [ones, shape], { attributes: { axis: 0 } });
  } else {
    aligned = shapes.concat(builder.ints(...new Array<number>(extra).fill(1)), shape);
  }
  const broadcast = builder.op('NonZero', [builder.op('Equal', [aligned, builder.ints(1)])]);
  const axes = builder.op('Reshape', [broadcast, builder.ints(-1)]);
  const sum = builder.op('ReduceSum', [gradient, axes], {
    attributes: { keepdims: 1, noop_with_empty_axes: 1 },
  });
  return builder.op('Reshape', [sum, shape]);
}
