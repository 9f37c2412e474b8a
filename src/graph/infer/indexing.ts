import type { Dim } from '../dims.ts';
import { intAttribute } from '../graph.ts';
import { type InferenceRule, type NodeInference, positiveAxis } from './node-inference.ts';

export const gather: InferenceRule = (at) => {
  const data = at.dims(0);
  const indices = at.dims(1);
  const axis = data && positiveAxis(intAttribute(at.node, 'axis', 0), data.length);
  if (data === undefined || indices === undefined || axis === undefined) {
    return at.output(0, at.dtype(0), undefined);
  }
  const elements = at.elements(0);
  const picked =
    data.length === 1
      ? at.numbers(1)?.map((index) => elements?.[index < 0 ? index + elements.length : index])
      : undefined;
  const known = picked?.every((element) => element !== undefined) ? (picked as Dim[]) : undefined;
  at.output(0, at.dtype(0), [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)], known);
};

/** GatherElements: the output has the shape of the indices. */
export const gatherElements: InferenceRule = (at) => at.output(0, at.dtype(0), at.dims(1));

export const gatherND: InferenceRule = (at) => {
  const data = at.dims(0);
  const indices = at.dims(1);
  const depth = indices?.at(-1);
  const batch = intAttribute(at.node, 'batch_dims', 0);
  const dims =
    data && indices && typeof depth === 'number'
      ? [...indices.slice(0, -1), ...data.slice(batch + depth)]
      : undefined;
  at.output(0, at.dtype(0), dims);
};

/** The number of positions a slice keeps of a dim. */
function sliceLength(at: NodeInference, axis: number, start: Dim, end: Dim, step: number): Dim {
  const { symbols } = at;
  const dim = at.dims(0)![axis]!;
  if (typeof dim === 'number' && typeof start === 'number' && typeof end === 'number') {
    const clamp = (position: number) => {
      const shifted = position < 0 ? position + dim : position;
      return step > 0 ? Math.min(Math.max(shifted, 0), dim) : Math.min(Math.max(shifted, -1), dim - 1);
    };
    return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step));
  }
  if (step < 0) {
    const whole = start === -1 || (typeof start === 'number' && start >= 2 ** 31 - 1);
    return whole && step === -1 && typeof end === 'number' && end <= -(2 ** 31) ? dim : at.fresh(0, axis);
  }
  const fromEnd = (position: Dim) =>
    typeof position === 'number' && position < 0 ? symbols.add(dim, position) : position;
  const last = typeof end === 'number' && end >= 2 ** 31 - 1 ? dim : fromEnd(end);
  const first = fromEnd(start);
  const length = symbols.subtract(last, first);
  // A number against a symbolic dim: the dim may end first.
  if (typeof last === 'number' && typeof dim === 'string' && last > 1) {
    return symbols.unknown(`slice ${dim} ${first} ${last} ${step}`);
  }
  return symbols.asDim(step === 1 ? length : symbols.divide(symbols.add(length, step - 1), step));
}

export const slice: InferenceRule = (at) => {
  const dims = at.dims(0);
  if (dims === undefined) return at.output(0, at.dtype(0), undefined);
  const starts = at.elements(1);
  const ends = at.elements(2);
  const count = starts?.length ?? ends?.length ?? at.dims(1)?.[0];
  const axes = at.has(3)
    ? at.numbers(3)
    : typeof count === 'number'
      ? Array.from({ length: count }, (_, axis) => axis)
      : undefined;
  if (axes === undefined) return at.output(0, at.dtype(0), at.freshDims(0, dims.length));
  const steps = at.has(4) ? at.numbers(4) : axes.map(() => 1);
  const result = [...dims];
  axes.forEach((given, index) => {
    const axis = positiveAxis(given, dims.length);
    if (axis === undefined) return;
    const [start, end, step] = [starts?.[index], ends?.[index], steps?.[index]];
    result[axis] =
      start === undefined || end === undefined || step === undefined
        ? at.fresh(0, axis)
        : sliceLength(at, axis, start, end, step);
  });
  at.output(0, at.dtype(0), result, slicedElements(at, dims, starts?.[0], ends?.[0], steps?.[0]));
};

function slicedElements(
  at: NodeInference,
  dims: readonly Dim[],
  start: Dim | undefined,
  end: Dim | undefined,
  step: number | undefined,
): readonly Dim[] | undefined {
  const elements = at.elements(0);
  if (!elements || dims.length !== 1 || step === undefined) return undefined;
  if (typeof start !== 'number' || typeof end !== 'number') return undefined;
  const clamp = (position: number, low: number, high: number) =>
    Math.min(Math.max(position < 0 ? position + elements.length : position, low), high);
  const result: Dim[] = [];
  if (step > 0) {
    const last = clamp(end, 0, elements.length);
    for (let i = clamp(start, 0, elements.length); i < last; i += step) result.push(elements[i]!);
  } else {
    const last = clamp(end, -1, elements.length - 1);
    for (let i = clamp(start, -1, elements.length - 1); i > last; i += step) result.push(elements[i]!);
  }
  return result;
}

export const concat: InferenceRule = (at) => {
  const shapes = at.node.inputs.map((_, index) => at.dims(index));
  const rank = shapes.find((dims) => dims !== undefined)?.length;
  const axis = rank === undefined ? undefined : positiveAxis(intAttribute(at.node, 'axis', 0), rank);
  if (rank === undefined || axis === undefined) return at.output(0, at.dtype(0), undefined);
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const along = shapes.map((dims) => dims?.[i]);
    if (i !== axis) {
      // All are equal; a number says most.
      const known = along.filter((dim) => dim !== undefined);
      result.push(known.find((dim) => typeof dim === 'number') ?? known[0]!);
    } else if (along.every((dim) => dim !== undefined)) {
      result.push(at.symbols.asDim(along.reduce((a, b) => at.symbols.add(a, b))));
    } else {
      result.push(at.fresh(0, i));
    }
  }
  const parts = at.node.inputs.map((_, index) => at.elements(index));
  const elements = rank === 1 && parts.every((part) => part !== undefined) ? parts.flat() : undefined;
  at.output(0, at.dtype(0), result, elements);
};

export const split: InferenceRule = (at) => {
  const dims = at.dims(0);
  const outputs = at.node.outputs.length;
  const axis = dims && positiveAxis(intAttribute(at.node, 'axis', 0), dims.length);
  const sizes = at.has(1) ? at.elements(1) : evenParts(at, axis === undefined ? undefined : dims?.[axis]);
  let from = 0;
  for (let index = 0; index < outputs; index++) {
    const size = sizes?.[index];
    const part = size === undefined ? at.fresh(index, 'split') : at.symbols.asDim(size);
    const elements = at.elements(0);
    at.output(
      index,
      at.dtype(0),
      axis === undefined ? undefined : dims?.map((dim, i) => (i === axis ? part : dim)),
      dims?.length === 1 && elements && typeof size === 'number'
        ? elements.slice(from, from + size)
        : undefined,
    );
    from += typeof size === 'number' ? size : Number.NaN;
  }
};

/** Split by number of outputs: all equal but the last, which may be smaller. */
function evenParts(at: NodeInference, dim: Dim | undefined): readonly Dim[] | undefined {
  if (dim === undefined) return undefined;
  const count = intAttribute(at.node, 'num_outputs', at.node.outputs.length);
  if (count === 1) return [dim];
  if (typeof dim !== 'number') return undefined;
  const size = Math.ceil(dim / count);
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(size, dim - index * size)));
}

export const oneHot: InferenceRule = (at) => {
  const indices = at.dims(0);
  const depth = at.elements(1)?.[0];
  if (indices === undefined) return at.output(0, at.dtype(2), undefined);
  const axis = positiveAxis(intAttribute(at.node, 'axis', -1), indices.length + 1) ?? indices.length;
  const added = depth === undefined ? at.fresh(0, axis) : at.symbols.asDim(depth);
  at.output(0, at.dtype(2), [...indices.slice(0, axis), added, ...indices.slice(axis)]);
};

export const nonZero: InferenceRule = (at) => {
  const dims = at.dims(0);
  at.output(0, 'int64', [dims?.length ?? at.fresh(0, 0), at.symbols.unknown(`nonzero ${at.node.inputs[0]}`)]);
};
