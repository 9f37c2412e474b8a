import { SesdError } from '../errors.ts';
import type { TensorProto } from './generated/onnx_pb.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';
import { decodeVarints } from './wire.ts';

/** Element types, named as in the ONNX IR. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'string';

/** Bytes per element; strings have none. */
export const elementSize: Readonly<Record<DataType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  string: 0,
};

export function isFloat(dtype: DataType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/** A dense constant: little-endian elements in row-major order, usually a view into a file's bytes. */
export interface TensorData {
  dtype: DataType;
  dims: readonly number[];
  /** Exactly elementSize × product(dims) bytes; may be unaligned. */
  bytes: Uint8Array;
}

/** TensorProto.DataType numbers. */
export const dataTypeNumber: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

const dataTypes = new Map(Object.entries(dataTypeNumber).map(([name, number]) => [number, name as DataType]));

/** TensorProto.DataType values there is no use for here, named for error messages. */
const otherTypes: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

export function dataTypeOf(number: number): DataType | undefined {
  return dataTypes.get(number);
}

/** The name of a TensorProto.DataType, known or not. */
export function dataTypeName(number: number): string {
  return dataTypes.get(number) ?? otherTypes[number] ?? `element type ${number}`;
}

/** More axes than any tensor has; NumPy allows as many. */
export const MAX_RANK = 64;

/** TensorProto.DataLocation EXTERNAL. */
export const EXTERNAL = 1;

/**
 * Dtype, dims and the number of bytes the elements take, checked without looking at them.
 * Throws SESD_BAD_MODEL for types and dims no tensor of ours can have.
 */
export function tensorLayout(tensor: TensorProto): { dtype: DataType; dims: number[]; byteLength: number } {
  const dtype = dataTypeOf(tensor.dataType);
  if (dtype === undefined || dtype === 'string') {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `tensor ${quote(tensor.name)} holds ${dataTypeName(tensor.dataType)} elements; expected floats, integers or booleans`,
      {
        hint:
          dtype === 'string'
            ? 'Export the bare transformer, without string lookup or a tokenizer inside the graph.'
            : 'Export the model in float32 or float16.',
      },
    );
  }
  if (tensor.dims.length > MAX_RANK) throw badTensor(tensor, `has ${tensor.dims.length} axes`);
  let byteLength = elementSize[dtype];
  const dims = tensor.dims.map((dim) => {
    if (dim < 0n) throw badTensor(tensor, `has the negative dimension ${dim}`);
    byteLength *= Number(dim);
    if (!Number.isSafeInteger(Number(dim))) throw badTensor(tensor, `has the dimension ${dim}`);
    return Number(dim);
  });
  if (!Number.isSafeInteger(byteLength)) {
    throw badTensor(tensor, `has impossible dims [${shown(tensor.dims)}]`);
  }
  return { dtype, dims, byteLength };
}

/**
 * The tensor's elements: a view into the file's bytes where they lie there as they are in memory (raw_data,
 * float_data, double_data, external data), decoded otherwise.
 *
 * @param external Elements of tensors that lie outside the model file, see `OnnxModel.external`.
 * @throws SesdError SESD_BAD_MODEL when elements and dims do not agree; nothing is allocated before that check.
 */
export function tensorData(tensor: TensorProto, external?: ReadonlyMap<TensorProto, Uint8Array>): TensorData {
  const { dtype, dims, byteLength } = tensorLayout(tensor);
  return { dtype, dims, bytes: elementBytes(tensor, dtype, byteLength, external) };
}

function elementBytes(
  tensor: TensorProto,
  dtype: DataType,
  byteLength: number,
  external: ReadonlyMap<TensorProto, Uint8Array> | undefined,
): Uint8Array {
  if (tensor.dataLocation === EXTERNAL) {
    const bytes = external?.get(tensor);
    if (bytes === undefined) throw badTensor(tensor, 'lies in an external file that was not read');
    return exactly(tensor, bytes, byteLength);
  }
  if (tensor.rawData.length > 0 || byteLength === 0) return exactly(tensor, tensor.rawData, byteLength);
  switch (dtype) {
    case 'float32':
      return exactly(tensor, joined(tensor.floatData), byteLength);
    case 'float64':
      return exactly(tensor, joined(tensor.doubleData), byteLength);
    case 'int64':
      return fromVarints(tensor, tensor.int64Data, dtype, byteLength);
    case 'uint64':
    case 'uint32':
      return fromVarints(tensor, tensor.uint64Data, dtype, byteLength);
    default:
      return fromVarints(tensor, tensor.int32Data, dtype, byteLength);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function fromVarints(
  tensor: TensorProto,
  chunks: readonly Uint8Array[],
  dtype: DataType,
  byteLength: number,
): Uint8Array {
  const size = elementSize[dtype];
  const count = byteLength / size;
  // A varint takes at least one byte, so this many elements cannot be more memory than 8 times the file.
  const available = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (available < count) throw mismatch(tensor, byteLength, available === 0 ? 0 : undefined);
  const bytes = new Uint8Array(byteLength);
  const decoded = decodeVarints(chunks, bytes, size);
  if (decoded !== count) throw mismatch(tensor, byteLength, decoded * size);
  return bytes;
}

function exactly(tensor: TensorProto, bytes: Uint8Array, byteLength: number): Uint8Array {
  if (bytes.length !== byteLength) throw mismatch(tensor, byteLength, bytes.length);
  return bytes;
}

function mismatch(tensor: TensorProto, expected: number, found: number | undefined): SesdError {
  return badTensor(
    tensor,
    `of type ${dataTypeName(tensor.dataType)} and dims [${shown(tensor.dims)}] needs ${expected} bytes of elements, ` +
      (found === undefined ? 'which are not there' : `found ${found}`),
  );
}

function badTensor(tensor: TensorProto, what: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `tensor ${quote(tensor.name)} ${what}`, {
    hint: 'The file is damaged or was written by a broken exporter; download or export it again.',
  });
}

function shown(dims: readonly bigint[]): string {
  return dims.length <= 8 ? dims.join(', ') : `${dims.slice(0, 8).join(', ')}, … (${dims.length} in all)`;
}

/** The error with the name of the file or node it is about before its message, when it is one of ours. */
export function within(place: string, error: unknown): unknown {
  if (!(error instanceof SesdError)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new SesdError(error.code, `${place}: ${error.message}`, { ...hint, cause: error });
}

/** A name from a file as shown in messages: quoted, and not without end. */
export function quote(name: string): string {
  return name.length <= 120 ? `'${name}'` : `'${name.slice(0, 117)}…'`;
}

/**
 * The elements of a float tensor as float32: a view of float32 elements where alignment allows it, a
 * converted copy otherwise. float64 is rounded to nearest.
 */
export function floatElements(tensor: TensorData): Float32Array {
  const { bytes, dtype } = tensor;
  switch (dtype) {
    case 'float32': {
      const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
      return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
    }
    case 'float64': {
      const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
      return Float32Array.from(new Float64Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 8));
    }
    case 'float16':
      return float16ToFloat32(bytes);
    case 'bfloat16':
      return bfloat16ToFloat32(bytes);
    default:
      throw new TypeError(`${dtype} elements are not floats`);
  }
}
