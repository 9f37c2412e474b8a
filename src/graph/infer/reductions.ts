import type { Dim } from '../dims.ts';
import { type DataType, intAttribute } from '../graph.ts';
import { type Dims, type InferenceRule, type NodeInference, positiveAxis } from './node-inference.ts';

/** Shape after reducing; `axes` undefined when they are only known at run time. */
function reduced(at: NodeInference, axes: readonly number[] | undefined, keepdims: boolean): Dims {
  const dims = at.dims(0);
  if (dims === undefined) return undefined;
  if (axes === undefined) return keepdims ? at.freshDims(0, dims.length) : undefined;
  const gone = new Set(axes.map((axis) => positiveAxis(axis, dims.length)));
  return keepdims
    ? dims.map((dim, axis) => (gone.has(axis) ? 1 : dim))
    : dims.filter((_, axis) => !gone.has(axis));
}

/** Reduce*: `integers` follows the elements of a shape vector reduced to one number. */
export function reduction(integers?: (at: NodeInference, elements: readonly Dim[]) => Dim): InferenceRule {
  return (at) => {
    const keepdims = intAttribute(at.node, 'keepdims', 1) !== 0;
    let axes = at.numbersOrAttribute(1, 'axes');
    const absent = !at.has(1) && !at.node.attributes.has('axes');
    if (absent || axes?.length === 0) {
      if (intAttribute(at.node, 'noop_with_empty_axes', 0)) {
        return at.output(0, at.dtype(0), at.dims(0), at.elements(0));
      }
      axes = at.dims(0)?.map((_, axis) => axis);
    }
    // Without axes everything is reduced, also when the rank is unknown.
    const dims = absent && !keepdims ? [] : reduced(at, axes, keepdims);
    const elements = at.elements(0);
    const whole = axes !== undefined && axes.length === at.dims(0)?.length;
    at.output(
      0,
      at.dtype(0),
      dims,
      integers && elements?.length && whole ? [integers(at, elements)] : undefined,
    );
  };
}

export const integerReductions = {
  product: (at: NodeInference, elements: readonly Dim[]) =>
    elements.reduce((a, b) => at.symbols.multiply(a, b)),
  sum: (at: NodeInference, elements: readonly Dim[]) => elements.reduce((a, b) => at.symbols.add(a, b)),
  max: (at: NodeInference, elements: readonly Dim[]) => elements.reduce((a, b) => at.symbols.max(a, b)),
  min: (at: NodeInference, elements: readonly Dim[]) => elements.reduce((a, b) => at.symbols.min(a, b)),
};

/** ArgMax and ArgMin. */
export const argReduction: InferenceRule = (at) => {
  const keepdims = intAttribute(at.node, 'keepdims', 1) !== 0;
  at.output(0, 'int64', reduced(at, [intAttribute(at.node, 'axis', 0)], keepdims));
};

/** Dims of the statistics of a normalization: 1 from `axis` on. */
export function statisticsDims(dims: Dims, axis: number): Dims {
  if (dims === undefined) return undefined;
  const from = axis < 0 ? axis + dims.length : axis;
  return dims.map((dim, index) => (index < from ? dim : 1));
}

/** Statistics of half-precision tensors are kept in float32, whatever stash_type says; those of doubles in double. */
export function statisticsType(dtype: DataType | undefined): DataType | undefined {
  return dtype === 'float64' ? dtype : dtype && 'float32';
}

/** LayerNormalization: (x, scale, bias) → (y, mean, 1/σ). */
export const layerNormalization: InferenceRule = (at) => {
  const dtype = at.dtype(0);
  at.output(0, dtype, at.dims(0));
  const stash = statisticsType(dtype);
  const statistics = statisticsDims(at.dims(0), intAttribute(at.node, 'axis', -1));
  at.output(1, stash, statistics);
  at.output(2, stash, statistics);
};

export const topK: InferenceRule = (at) => {
  const dims = at.dims(0);
  const axis = dims && positiveAxis(intAttribute(at.node, 'axis', -1), dims.length);
  const k = at.elements(1)?.[0];
  const result = dims?.map((dim, index) =>
    index === axis ? (k === undefined ? at.fresh(0, index) : at.symbols.asDim(k)) : dim,
  );
  at.output(0, at.dtype(0), result);
  at.output(1, 'int64', result);
};
