import { type DataType, elementSize, type TensorData } from '../../../src/graph/graph.ts';

/** A dense tensor with every element held as a double, whatever its declared type. */
export interface Tensor {
  dtype: DataType;
  dims: number[];
  data: Float64Array;
}

export function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

export function tensor(dtype: DataType, dims: readonly number[], values?: ArrayLike<number>): Tensor {
  const data = values === undefined ? new Float64Array(count(dims)) : Float64Array.from(values);
  if (data.length !== count(dims)) throw new Error(`${data.length} values for [${dims}]`);
  return { dtype, dims: [...dims], data };
}

/** Row-major strides. */
export function strides(dims: readonly number[]): number[] {
  const result = new Array<number>(dims.length);
  for (let axis = dims.length - 1, stride = 1; axis >= 0; axis--) {
    result[axis] = stride;
    stride *= dims[axis]!;
  }
  return result;
}

/** Multi-index of a flat position. */
export function unravel(position: number, dims: readonly number[]): number[] {
  return strides(dims).map((stride, axis) => Math.floor(position / stride) % dims[axis]!);
}

export function ravel(index: readonly number[], dims: readonly number[]): number {
  const steps = strides(dims);
  return index.reduce((sum, at, axis) => {
    if (at < 0 || at >= dims[axis]!) throw new Error(`index [${index}] outside [${dims}]`);
    return sum + at * steps[axis]!;
  }, 0);
}

export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) => {
    const along = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    const size = along.find((dim) => dim !== 1) ?? 1;
    if (along.some((dim) => dim !== 1 && dim !== size)) {
      throw new Error(`shapes do not broadcast: ${shapes.map((dims) => `[${dims}]`).join(' ')}`);
    }
    return size;
  });
}

/** The element of `source` that lies at a multi-index of a shape it broadcasts to. */
export function broadcastAt(source: Tensor, index: readonly number[]): number {
  const offset = index.length - source.dims.length;
  const steps = strides(source.dims);
  return source.data[
    source.dims.reduce((sum, dim, axis) => sum + (dim === 1 ? 0 : index[axis + offset]!) * steps[axis]!, 0)
  ]!;
}

/** Applies a function of numbers with broadcasting. */
export function zip(
  dtype: DataType,
  operands: readonly Tensor[],
  apply: (...values: number[]) => number,
): Tensor {
  const dims = broadcast(...operands.map((operand) => operand.dims));
  const result = tensor(dtype, dims);
  for (let i = 0; i < result.data.length; i++) {
    const index = unravel(i, dims);
    result.data[i] = apply(...operands.map((operand) => broadcastAt(operand, index)));
  }
  return result;
}

/** Fills a tensor from a function of the multi-index. */
export function generate(dtype: DataType, dims: readonly number[], at: (index: number[]) => number): Tensor {
  const result = tensor(dtype, dims);
  for (let i = 0; i < result.data.length; i++) result.data[i] = at(unravel(i, dims));
  return result;
}

export function at(source: Tensor, index: readonly number[]): number {
  return source.data[ravel(index, source.dims)]!;
}

export function positive(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (result < 0 || result >= Math.max(rank, 1)) throw new Error(`axis ${axis} of rank ${rank}`);
  return result;
}

export function fromTensorData({ dtype, dims, bytes }: TensorData): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = elementSize[dtype];
  const read: Partial<Record<DataType, (offset: number) => number>> = {
    float32: (offset) => view.getFloat32(offset, true),
    float64: (offset) => view.getFloat64(offset, true),
    int64: (offset) => Number(view.getBigInt64(offset, true)),
    int32: (offset) => view.getInt32(offset, true),
    bool: (offset) => view.getUint8(offset),
  };
  return tensor(
    dtype,
    dims,
    Array.from({ length: count(dims) }, (_, i) => read[dtype]!(i * size)),
  );
}
