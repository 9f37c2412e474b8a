import type { DataType } from '../graph.ts';

/** TensorProto.DataType by number. */
const names: Readonly<Record<number, DataType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

/** The element type a `to` or `dtype` attribute means. */
export function dataTypeOf(code: number): DataType | undefined {
  return names[code];
}

/** The number of an element type in TensorProto.DataType. */
export function dataTypeCode(dtype: DataType): number {
  return Number(Object.keys(names).find((code) => names[Number(code)] === dtype));
}
