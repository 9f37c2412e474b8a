import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { equals, fromBinary, toBinary } from '@bufbuild/protobuf';
import { SesdError } from '../../src/errors.ts';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import type { TensorData } from '../../src/graph/graph.ts';
import { outputError } from '../../src/onnx/atomic-write.ts';
import { encodeModel } from '../../src/onnx/encode.ts';
import { type ModelProto, ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import { readModel } from '../../src/onnx/read.ts';
import { floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { buildModel, bytesOf, float, node } from './build-model.ts';
import { difference, ramp, runModel } from './run-model.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-write-'));
});
after(() => rm(folder, { recursive: true }));

let next = 0;
const newFolder = () => mkdtemp(join(folder, `${next++}-`));

const size = 40;
const values = (seed: number, length = size * size) =>
  Float32Array.from({ length }, (_, i) => Math.fround(Math.sin(i + seed)));

/** y = (x·w + b)·scale, w and b weights, scale a Constant node, shape an integer initializer. */
function network(b: TensorData = float32Tensor(values(2, size), [size])): ModelProto {
  return buildModel({
    inputs: { x: float('batch', size) },
    outputs: { y: undefined },
    nodes: [
      node('Constant', [], ['scale'], { value: float32Tensor([2], []) }),
      node('MatMul', ['x', 'w'], ['xw']),
      node('Add', ['xw', 'b'], ['xwb']),
      node('Mul', ['xwb', 'scale'], ['scaled']),
      node('Reshape', ['scaled', 'shape'], ['y']),
    ],
    initializers: {
      w: float32Tensor(values(1), [size, size]),
      b,
      shape: int64Tensor([-1, size]),
    },
  });
}

const modelOf = (proto: ModelProto) => ({ proto, external: new Map() });

function initializer(model: Awaited<ReturnType<typeof readModel>>, name: string): Float32Array {
  const tensor = model.proto.graph!.initializer.find((each) => each.name === name)!;
  return floatElements(tensorData(tensor, model.external)).slice();
}

test('a model in pieces is the model', () => {
  const proto = network();
  const pieces = encodeModel(proto, () => undefined);
  const joined = Buffer.concat(pieces.parts as Uint8Array[]);
  assert.equal(joined.length, pieces.byteLength);
  assert.ok(equals(ModelProtoSchema, fromBinary(ModelProtoSchema, joined), proto));
});

test('fields this package does not know survive', async () => {
  const unknown = { no: 77, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) };
  const proto = network();
  proto.$unknown = [unknown];
  proto.graph!.$unknown = [unknown];
  proto.graph!.initializer[0]!.$unknown = [unknown];
  proto.graph!.node[0]!.$unknown = [unknown];
  proto.graph!.node[0]!.attribute[0]!.$unknown = [unknown];
  const path = join(await newFolder(), 'model.onnx');
  await writeModel(path, modelOf(fromBinary(ModelProtoSchema, bytesOf(proto))));
  const { proto: back } = await readModel(path);
  for (const message of [
    back,
    back.graph!,
    back.graph!.initializer[0]!,
    back.graph!.node[0]!,
    back.graph!.node[0]!.attribute[0]!,
  ]) {
    assert.deepEqual(
      message.$unknown?.map(({ no, data }) => ({ no, data: [...data] })),
      [{ no: 77, data: [3, 1, 2, 3] }],
      message.$typeName,
    );
  }
});

test('new weights take the place of initializers and of Constants, in any order', async () => {
  const path = join(await newFolder(), 'model.onnx');
  const [w, b] = [values(5), values(6, size)];
  const { dataPath } = await writeModel(path, modelOf(network()), {
    weights: [
      { name: 'scale', data: Float32Array.of(3) },
      { name: 'b', data: b },
      { name: 'w', data: w },
    ],
  });
  assert.equal(dataPath, undefined);
  assert.deepEqual(await readdir(join(path, '..')), ['model.onnx']);
  const model = await readModel(path);
  assert.deepEqual(initializer(model, 'w'), w);
  assert.deepEqual(initializer(model, 'b'), b);

  const expected = network(float32Tensor(b, [size]));
  expected.graph!.initializer[0]!.rawData = new Uint8Array(w.buffer);
  expected.graph!.node[0]!.attribute[0]!.t!.rawData = new Uint8Array(Float32Array.of(3).buffer);
  assert.ok(equals(ModelProtoSchema, model.proto, expected), 'nothing else changed');
});

test('one array may carry all weights, one after the other', async () => {
  const path = join(await newFolder(), 'model.onnx');
  async function* weights() {
    const data = new Float32Array(size);
    yield { name: 'b', data: data.fill(1) };
    yield { name: 'scale', data: data.subarray(0, 1).fill(7) };
  }
  await writeModel(path, modelOf(network()), { weights: weights() });
  assert.deepEqual(initializer(await readModel(path), 'b'), new Float32Array(size).fill(1));
});

test('weights are rounded to the type of their tensor', async () => {
  for (const [dtype, width] of [
    ['float16', 2],
    ['bfloat16', 2],
    ['float64', 8],
  ] as const) {
    const proto = network({ dtype, dims: [size], bytes: new Uint8Array(size * width) });
    const path = join(await newFolder(), 'model.onnx');
    const data = values(3, size);
    await writeModel(path, modelOf(proto), { weights: [{ name: 'b', data }] });
    const back = initializer(await readModel(path), 'b');
    const worst = Math.max(...back.map((value, i) => Math.abs(value - data[i]!)));
    assert.ok(dtype === 'float64' ? worst === 0 : worst > 0 && worst < (dtype === 'float16' ? 3e-4 : 2e-3));
  }
});

test('what is too large for one file goes beside it, page-aligned, and runs', async () => {
  const [inline, outside] = [await newFolder(), await newFolder()];
  const weights = [{ name: 'w', data: values(5) }];
  await writeModel(join(inline, 'model.onnx'), modelOf(network()), { weights });
  const path = join(outside, 'model.onnx');
  const { dataPath } = await writeModel(path, modelOf(network()), { weights, inlineLimit: 1000 });
  assert.equal(dataPath, join(outside, 'model.onnx_data'));
  assert.deepEqual((await readdir(outside)).sort(), ['model.onnx', 'model.onnx_data']);
  const model = await readModel(path);
  assert.deepEqual(initializer(model, 'w'), values(5));
  for (const { externalData } of model.proto.graph!.initializer) {
    const offset = externalData.find(({ key }) => key === 'offset')?.value ?? '0';
    assert.equal(Number(offset) % 4096, 0);
  }
  const feeds = { x: ramp(3, size) };
  const results = [await runModel(join(inline, 'model.onnx'), feeds), await runModel(path, feeds)];
  assert.equal(difference(results[0]!.y!, results[1]!.y!), 0);

  // And back into one file, with the external elements that did not change.
  const again = join(await newFolder(), 'model.onnx');
  await writeModel(again, model);
  assert.deepEqual(await readFile(again), await readFile(join(inline, 'model.onnx')));
});

test('a failure leaves the old file and nothing else', async () => {
  const path = join(await newFolder(), 'model.onnx');
  await writeFile(path, 'old');
  async function* broken() {
    yield { name: 'b', data: values(1, size) };
    throw new Error('the engine failed');
  }
  await assert.rejects(
    writeModel(path, modelOf(network()), { weights: broken(), inlineLimit: 1 }),
    /the engine failed/,
  );
  await assert.rejects(
    writeModel(path, modelOf(network()), { weights: [{ name: 'b', data: values(1, 3) }] }),
    /3 weights for b, which has 40/,
  );
  await assert.rejects(
    writeModel(path, modelOf(network()), { weights: [{ name: 'c', data: values(1, 3) }] }),
    /new weights for c, which the model does not have/,
  );
  assert.deepEqual(await readdir(join(path, '..')), ['model.onnx']);
  assert.equal(await readFile(path, 'utf8'), 'old');
});

test('paths that cannot be written are named', async () => {
  const file = join(await newFolder(), 'file');
  await writeFile(file, '');
  for (const path of [join(folder, 'nowhere', 'model.onnx'), join(file, 'model.onnx')]) {
    await assert.rejects(writeModel(path, modelOf(network())), (error) => {
      assert.ok(error instanceof SesdError);
      assert.equal(error.code, 'SESD_OUTPUT');
      assert.ok(error.message.includes(path));
      return true;
    });
  }
  const full = outputError('/x', Object.assign(new Error('write'), { code: 'ENOSPC' }));
  assert.ok(full instanceof SesdError && full.code === 'SESD_OUTPUT' && /disk is full/.test(full.message));
  const other = new TypeError('not a system call');
  assert.equal(outputError('/x', other), other);
});

test('typed fields that are not weights are written as they were', async () => {
  const proto = network();
  const shape = proto.graph!.initializer.find(({ name }) => name === 'shape')!;
  shape.rawData = new Uint8Array();
  shape.int64Data = [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, size)];
  const path = join(await newFolder(), 'model.onnx');
  await writeModel(path, modelOf(proto));
  const written = await readFile(path);
  assert.ok(written.includes(Buffer.from(shape.int64Data[0]!)));
  assert.equal(toBinary(ModelProtoSchema, (await readModel(path)).proto).length, written.length);
});
