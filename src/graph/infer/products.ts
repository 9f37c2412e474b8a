import type { Dim } from '../dims.ts';
import { intAttribute, intsAttribute, stringAttribute } from '../graph.ts';
import { broadcastDims } from './elementwise.ts';
import type { Dims, InferenceRule, NodeInference } from './node-inference.ts';

/** Shape of numpy.matmul: rank-1 operands count as a row (left) or a column (right) that is dropped again. */
function product(at: NodeInference, a: Dims, b: Dims): Dims {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastDims([left.slice(0, -2), right.slice(0, -2)], at.symbols)!;
  const result = [...batch];
  if (a.length > 1) result.push(left.at(-2)!);
  if (b.length > 1) result.push(right.at(-1)!);
  return result;
}

export const matMul: InferenceRule = (at) => at.output(0, at.dtype(0), product(at, at.dims(0), at.dims(1)));

export const matMulInteger: InferenceRule = (at) =>
  at.output(0, 'int32', product(at, at.dims(0), at.dims(1)));

export const gemm: InferenceRule = (at) => {
  const a = at.dims(0);
  const b = at.dims(1);
  const rows = intAttribute(at.node, 'transA', 0) ? a?.[1] : a?.[0];
  const columns = intAttribute(at.node, 'transB', 0) ? b?.[0] : b?.[1];
  at.output(0, at.dtype(0), [rows ?? at.fresh(0, 0), columns ?? at.fresh(0, 1)]);
};

/** The operand of com.microsoft::FusedMatMul as its flags turn it: batch axes [1..rank-2] before axis 0, then the last two. */
function turned(dims: Dims, transpose: boolean, transposeBatch: boolean): Dims {
  if (dims === undefined || dims.length < 2) return dims;
  const turnedDims: Dim[] = transposeBatch ? [...dims.slice(1, -1), dims[0]!, dims.at(-1)!] : [...dims];
  if (transpose) turnedDims.push(...turnedDims.splice(-2, 2).reverse());
  return turnedDims;
}

export const fusedMatMul: InferenceRule = (at) => {
  const flag = (name: string) => intAttribute(at.node, name, 0) !== 0;
  const a = turned(at.dims(0), flag('transA'), flag('transBatchA'));
  const b = turned(at.dims(1), flag('transB'), flag('transBatchB'));
  at.output(0, at.dtype(0), product(at, a, b));
};

/** What Conv and ConvTranspose say of how they walk spatial axis `axis`; undefined where the run decides. */
function spatial(
  at: NodeInference,
  axis: number,
): { reach: number; padding: number; stride: number } | undefined {
  const ints = (name: string) => intsAttribute(at.node, name);
  const size = ints('kernel_shape')?.[axis] ?? at.dims(1)?.[axis + 2];
  const implicit = !['NOTSET', 'VALID'].includes(stringAttribute(at.node, 'auto_pad', 'NOTSET'));
  if (typeof size !== 'number' || implicit) return undefined;
  const pads = ints('pads') ?? [];
  return {
    reach: (ints('dilations')?.[axis] ?? 1) * (size - 1) + 1,
    padding: (pads[axis] ?? 0) + (pads[axis + pads.length / 2] ?? 0),
    stride: ints('strides')?.[axis] ?? 1,
  };
}

/** Conv with any number of spatial axes. */
export const conv: InferenceRule = (at) => {
  const x = at.dims(0);
  const dims = x?.slice(2).map((dim, axis) => {
    const walk = spatial(at, axis);
    if (walk === undefined) return at.fresh(0, axis + 2);
    const steps = at.symbols.divide(at.symbols.add(dim, walk.padding - walk.reach), walk.stride);
    return at.symbols.asDim(at.symbols.add(steps, 1));
  });
  at.output(0, at.dtype(0), x && [x[0]!, at.dims(1)?.[0] ?? at.fresh(0, 1), ...dims!]);
};

/** ConvTranspose with any number of spatial axes: the weight is [in, out / group, …]. */
export const convTranspose: InferenceRule = (at) => {
  const x = at.dims(0);
  const dims = x?.slice(2).map((dim, axis) => {
    const walk = intsAttribute(at.node, 'output_shape') ? undefined : spatial(at, axis);
    if (walk === undefined) return at.fresh(0, axis + 2);
    const added = intsAttribute(at.node, 'output_padding')?.[axis] ?? 0;
    const steps = at.symbols.multiply(at.symbols.subtract(dim, 1), walk.stride);
    return at.symbols.asDim(at.symbols.add(steps, walk.reach - walk.padding + added));
  });
  const columns = at.dims(1)?.[1];
  const channels =
    columns === undefined ? at.fresh(0, 1) : at.symbols.multiply(columns, intAttribute(at.node, 'group', 1));
  at.output(0, at.dtype(0), x && [x[0]!, channels, ...dims!]);
};
