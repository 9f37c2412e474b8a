import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { SesdError } from '../../src/errors.ts';
import { type TensorProto, TensorProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from '../../src/onnx/half.ts';
import { dataTypeNumber, floatElements, tensorData } from '../../src/onnx/tensor.ts';

const bytes = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Packed varints, as protobuf writes negative int32 too: 64 bits of two's complement. */
function varints(...values: bigint[]): Uint8Array {
  const out: number[] = [];
  for (const value of values) {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
  }
  return Uint8Array.from(out);
}

function tensor(init: Partial<TensorProto>): TensorProto {
  return create(TensorProtoSchema, { name: 'w', ...init } as TensorProto);
}

const refusal = (pattern: RegExp) => (error: unknown) =>
  error instanceof SesdError && error.code === 'SESD_BAD_MODEL' && pattern.test(error.message);

test('raw and float data are views into the bytes they were parsed from', () => {
  const values = Float32Array.of(1, -2.5, 3e-9);
  for (const init of [{ rawData: bytes(values) }, { floatData: [bytes(values)] }]) {
    const file = toBinary(TensorProtoSchema, tensor({ dims: [3n], dataType: 1, ...init }));
    const data = tensorData(fromBinary(TensorProtoSchema, file));
    assert.deepEqual(data.dims, [3]);
    assert.equal(data.bytes.buffer, file.buffer);
    assert.deepEqual(floatElements(data), values);
  }
});

test('float data in several packed chunks is joined', () => {
  const chunks = [bytes(Float32Array.of(1, 2)), bytes(Float32Array.of(3))];
  assert.deepEqual(
    floatElements(tensorData(tensor({ dims: [3n], dataType: 1, floatData: chunks }))),
    Float32Array.of(1, 2, 3),
  );
});

test('typed integer fields decode to their element types', () => {
  const decode = (dataType: number, init: Partial<TensorProto>) =>
    tensorData(tensor({ dims: [3n], dataType, ...init })).bytes;
  const { int64, int32, int16, int8, uint8, bool, float16, uint32, uint64 } = dataTypeNumber;
  const extremes = [-(2n ** 63n), 2n ** 63n - 1n, -1n];
  assert.deepEqual(decode(int64, { int64Data: [varints(...extremes)] }), bytes(BigInt64Array.from(extremes)));
  const unsigned = [0n, 2n ** 64n - 1n, 2n ** 32n];
  assert.deepEqual(
    decode(uint64, { uint64Data: [varints(...unsigned)] }),
    bytes(BigUint64Array.from(unsigned)),
  );
  assert.deepEqual(
    decode(uint32, { uint64Data: [varints(1n, 4294967295n, 128n)] }),
    bytes(Uint32Array.of(1, 4294967295, 128)),
  );
  const signed = [-2147483648n, 2147483647n, -1n];
  assert.deepEqual(
    decode(int32, { int32Data: [varints(...signed)] }),
    bytes(Int32Array.of(-2147483648, 2147483647, -1)),
  );
  assert.deepEqual(
    decode(int16, { int32Data: [varints(-32768n, 7n, -1n)] }),
    bytes(Int16Array.of(-32768, 7, -1)),
  );
  assert.deepEqual(
    decode(int8, { int32Data: [varints(-128n, 127n, -1n)] }),
    bytes(Int8Array.of(-128, 127, -1)),
  );
  assert.deepEqual(decode(uint8, { int32Data: [varints(255n, 0n, 1n)] }), Uint8Array.of(255, 0, 1));
  assert.deepEqual(decode(bool, { int32Data: [varints(1n, 0n, 1n)] }), Uint8Array.of(1, 0, 1));
  const halves = tensorData(
    tensor({ dims: [3n], dataType: float16, int32Data: [varints(0x3c00n, 0xc000n, 0x0001n)] }),
  );
  assert.deepEqual(floatElements(halves), Float32Array.of(1, -2, 2 ** -24));
});

test('int64 varints decode as protobuf reads them', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), (values) => {
      const proto = tensor({
        dims: [BigInt(values.length)],
        dataType: dataTypeNumber.int64,
        int64Data: [varints(...values)],
      });
      assert.deepEqual(tensorData(proto).bytes, bytes(BigInt64Array.from(values)));
    }),
  );
});

test('elements and dims that do not agree are refused before anything is allocated', () => {
  const huge = { dims: [2n ** 40n], dataType: dataTypeNumber.int64 };
  assert.throws(() => tensorData(tensor({ ...huge, int64Data: [varints(1n)] })), refusal(/'w'.*needs/));
  assert.throws(() => tensorData(tensor(huge)), refusal(/found 0/));
  const floats = { dataType: 1, rawData: new Uint8Array(8) };
  assert.throws(() => tensorData(tensor({ ...floats, dims: [3n] })), refusal(/needs 12 bytes.*found 8/));
  assert.throws(() => tensorData(tensor({ ...floats, dims: [-2n] })), refusal(/negative dimension -2/));
  assert.throws(
    () => tensorData(tensor({ ...floats, dims: [2n ** 40n, 2n ** 40n] })),
    refusal(/impossible dims/),
  );
  assert.throws(
    () => tensorData(tensor({ dims: [2n], dataType: 7, int64Data: [Uint8Array.of(1, 0x80)] })),
    refusal(/needs 16 bytes/),
  );
  assert.throws(() => tensorData(tensor({ dims: [1n], dataType: 8 })), refusal(/string/));
  assert.throws(() => tensorData(tensor({ dims: [1n], dataType: 22 })), refusal(/int4/));
  assert.throws(() => tensorData(tensor({ dims: [1n], dataType: 1, dataLocation: 1 })), refusal(/external/));
});

test('a tensor of no elements needs no data', () => {
  assert.equal(tensorData(tensor({ dims: [0n, 5n], dataType: 1 })).bytes.length, 0);
});

test('every binary16 value survives the way to float32 and back', () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = new Uint16Array(float32ToFloat16(float16ToFloat32(bytes(halves))).buffer);
  for (let i = 0; i < 65536; i++) {
    const notANumber = (i & 0x7fff) > 0x7c00;
    if (notANumber) assert.ok((back[i]! & 0x7fff) > 0x7c00);
    else assert.equal(back[i], i);
  }
});

test('float32 rounds to the nearest binary16, ties to even', () => {
  const sorted = Array.from({ length: 0x7c00 }, (_, i) => float16ToFloat32(bytes(Uint16Array.of(i)))[0]!);
  fc.assert(
    fc.property(fc.float({ min: 0, max: 65519, noNaN: true }), (value) => {
      const half = new Uint16Array(float32ToFloat16(Float32Array.of(value)).buffer)[0]!;
      const error = Math.abs(sorted[half]! - value);
      for (const other of [half - 1, half + 1]) {
        const distance = Math.abs((sorted[other] ?? Number.POSITIVE_INFINITY) - value);
        assert.ok(error < distance || (error === distance && half % 2 === 0));
      }
    }),
    { numRuns: 2000 },
  );
  const special = float32ToFloat16(Float32Array.of(65520, -1e30, 65519.996));
  assert.deepEqual(new Uint16Array(special.buffer), Uint16Array.of(0x7c00, 0xfc00, 0x7bff));
});

test('bfloat16 keeps the upper half of float32, rounded', () => {
  const values = Float32Array.of(1, -3.140625, 0, 1.00390625, 1.01171875, Number.POSITIVE_INFINITY);
  // 1.00390625 and 1.01171875 lie between two bfloat16 values: to even, down and up.
  assert.deepEqual(
    bfloat16ToFloat32(float32ToBfloat16(values)),
    Float32Array.of(1, -3.140625, 0, 1, 1.015625, Number.POSITIVE_INFINITY),
  );
  assert.ok(Number.isNaN(bfloat16ToFloat32(float32ToBfloat16(Float32Array.of(Number.NaN)))[0]));
});

test('unaligned float elements are read all the same', () => {
  const unaligned = new Uint8Array(9).subarray(1);
  unaligned.set(bytes(Float32Array.of(4, 5)));
  assert.deepEqual(floatElements({ dtype: 'float32', dims: [2], bytes: unaligned }), Float32Array.of(4, 5));
});
