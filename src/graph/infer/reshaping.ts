import { MAX_RANK } from '../../onnx/tensor.ts';
import { type Dim, divideDims, multiplyDims } from '../dims.ts';
import { intAttribute, intsAttribute } from '../graph.ts';
import { broadcastDims } from './elementwise.ts';
import { type Dims, type InferenceRule, type NodeInference, positiveAxis } from './node-inference.ts';
import { isUnknown, maybeNegative } from './symbols.ts';

/** Length of a shape-giving vector input, which is the rank it gives. */
function givenRank(at: NodeInference, input: number): number | undefined {
  const length = at.dims(input)?.[0];
  return typeof length === 'number' && length <= MAX_RANK ? length : undefined;
}

export const reshape: InferenceRule = (at) => {
  const target = at.elements(1);
  if (target === undefined) {
    const rank = givenRank(at, 1);
    return at.output(0, at.dtype(0), rank === undefined ? undefined : at.freshDims(0, rank));
  }
  at.output(0, at.dtype(0), reshaped(at, at.dims(0), target), at.elements(0));
};

function reshaped(at: NodeInference, dims: Dims, target: readonly Dim[]): Dims {
  const copiesZero = intAttribute(at.node, 'allowzero', 0) === 0;
  const result = target.map((element, axis): Dim => {
    if (element === 0 && copiesZero) return dims ? (dims[axis] ?? at.fresh(0, axis)) : at.fresh(0, axis);
    return element;
  });
  const total = dims && multiplyDims(dims);
  const open = openAxis(result, total);
  return result.map((element, axis) => {
    if (axis !== open) return at.symbols.asDim(element);
    const rest = result.filter((_, other) => other !== axis).map((other) => at.symbols.asDim(other));
    const quotient = total === undefined ? undefined : divideDims(total, multiplyDims(rest));
    if (quotient !== undefined) return quotient;
    if (element !== -1) return at.symbols.asDim(element);
    return total === undefined
      ? at.fresh(0, axis)
      : at.symbols.unknown(`reshape ${total} by ${multiplyDims(rest)}`);
  });
}

/** The axis that follows from the number of elements: -1, or the only one nothing is known of. */
function openAxis(target: readonly Dim[], total: Dim | undefined): number | undefined {
  const inferred = target.indexOf(-1);
  if (inferred >= 0) return inferred;
  const factors = String(total).split('*');
  const open = [...target.keys()].filter(
    (axis) =>
      (isUnknown(target[axis]!) && !factors.includes(String(target[axis]))) || maybeNegative(target[axis]!),
  );
  return open.length === 1 ? open[0] : undefined;
}

export const flatten: InferenceRule = (at) => {
  const dims = at.dims(0);
  if (dims === undefined) return at.output(0, at.dtype(0), at.freshDims(0, 2));
  let axis = intAttribute(at.node, 'axis', 1);
  if (axis < 0) axis += dims.length;
  at.output(
    0,
    at.dtype(0),
    [multiplyDims(dims.slice(0, axis)), multiplyDims(dims.slice(axis))],
    at.elements(0),
  );
};

export const squeeze: InferenceRule = (at) => {
  const dims = at.dims(0);
  const axes = at.numbersOrAttribute(1, 'axes');
  const given = at.has(1) || at.node.attributes.has('axes');
  let result: Dims;
  if (dims !== undefined && axes !== undefined) {
    const gone = new Set(axes.map((axis) => positiveAxis(axis, dims.length)));
    result = dims.filter((_, axis) => !gone.has(axis));
  } else if (dims?.every((dim) => typeof dim === 'number') && !given) {
    result = dims.filter((dim) => dim !== 1);
  }
  at.output(0, at.dtype(0), result, at.elements(0));
};

export const unsqueeze: InferenceRule = (at) => {
  const dims = at.dims(0);
  const axes = at.numbersOrAttribute(1, 'axes');
  let result: Dims;
  if (dims !== undefined && axes !== undefined) {
    const rank = dims.length + axes.length;
    const added = new Set(axes.map((axis) => positiveAxis(axis, rank)));
    let next = 0;
    result = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (dims[next++] ?? 1)));
  }
  at.output(0, at.dtype(0), result, at.elements(0));
};

export const transpose: InferenceRule = (at) => {
  const dims = at.dims(0);
  const perm = intsAttribute(at.node, 'perm') ?? dims?.map((_, axis) => dims.length - 1 - axis);
  const result = dims && perm?.map((axis) => dims[axis] ?? at.fresh(0, axis));
  at.output(0, at.dtype(0), result, dims?.length === 1 ? at.elements(0) : undefined);
};

export const expand: InferenceRule = (at) => {
  const dims = at.dims(0);
  const rank = givenRank(at, 1);
  const target =
    at.elements(1)?.map((element) => at.symbols.asDim(element)) ??
    (rank === undefined ? undefined : at.freshDims(0, rank));
  const result = broadcastDims([dims, target], at.symbols);
  const elements = at.elements(0);
  const length = result?.length === 1 ? result[0] : undefined;
  const repeated =
    elements?.length === 1 && typeof length === 'number' && length <= 64
      ? new Array<Dim>(length).fill(elements[0]!)
      : undefined;
  at.output(0, at.dtype(0), result, repeated ?? (elements?.length === length ? elements : undefined));
};

export const tile: InferenceRule = (at) => {
  const dims = at.dims(0);
  const repeats = at.elements(1);
  const result = dims?.map((dim, axis) => {
    const times = repeats?.[axis];
    return times === undefined ? at.fresh(0, axis) : at.symbols.asDim(at.symbols.multiply(dim, times));
  });
  at.output(0, at.dtype(0), result);
};

export const pad: InferenceRule = (at) => {
  const dims = at.dims(0);
  const pads = at.elements(1);
  const axes = at.has(3) ? at.numbers(3) : dims?.map((_, axis) => axis);
  if (dims === undefined || pads === undefined || axes === undefined) {
    return at.output(0, at.dtype(0), dims && at.freshDims(0, dims.length));
  }
  const result = [...dims];
  axes.forEach((given, index) => {
    const axis = positiveAxis(given, dims.length);
    if (axis === undefined) return;
    const padding = at.symbols.add(pads[index] ?? 0, pads[index + axes.length] ?? 0);
    result[axis] = at.symbols.asDim(at.symbols.add(dims[axis]!, padding));
  });
  at.output(0, at.dtype(0), result);
};
