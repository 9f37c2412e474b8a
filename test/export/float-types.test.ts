import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SesdError } from '../../src/errors.ts';
import { exportModel, type FloatType } from '../../src/export/export-model.ts';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import type { TensorData } from '../../src/graph/graph.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../../src/onnx/half.ts';
import { type OnnxModel, readModel } from '../../src/onnx/read.ts';
import { releaseElements } from '../../src/onnx/release-elements.ts';
import { dataTypeName, floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { buildModel, float, node } from '../onnx/build-model.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-float-types-'));
});
after(() => rm(folder, { recursive: true }));

type HalfOrFloat = 'float32' | 'float16' | 'bfloat16';
const inType = (dtype: HalfOrFloat, data: Float32Array, dims: number[]): TensorData => {
  if (dtype === 'float32') return float32Tensor(data, dims);
  return { dtype, dims, bytes: (dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16)(data) };
};
const numbers = { float32: 1, float16: 10, bfloat16: 16 };
const waves = (length: number, phase: number) => Float32Array.from({ length }, (_, i) => Math.sin(i + phase));

/** softmax(x·w + c + fill)·v with w an initializer, v a Constant, and what float16 has no number for: fill and ε. */
function attention(dtype: HalfOrFloat): OnnxModel {
  const proto = buildModel({
    inputs: { x: float('rows', 4) },
    outputs: { y: float('rows', 3) },
    nodes: [
      node('Cast', ['x'], ['inside'], { to: numbers[dtype] }),
      node('Constant', [], ['v'], { value: inType(dtype, waves(15, 2), [5, 3]) }),
      node('MatMul', ['inside', 'w'], ['product']),
      node('Add', ['product', 'c'], ['scores']),
      node('ConstantOfShape', ['one'], ['epsilon'], { value: inType(dtype, Float32Array.of(1e-12), [1]) }),
      node('Add', ['scores', 'epsilon'], ['positive']),
      node('Add', ['positive', 'fill'], ['masked']),
      node('Softmax', ['masked'], ['p'], { axis: -1 }),
      node('MatMul', ['p', 'v'], ['context']),
      node('Cast', ['context'], ['y'], { to: 1 }),
    ],
    initializers: {
      w: inType(dtype, waves(20, 1), [4, 5]),
      c: inType(dtype, waves(5, 3), [5]),
      fill: inType(dtype, Float32Array.of(0, 0, 0, -Number.MAX_VALUE, 0).map(Math.fround), [5]),
      one: int64Tensor([1]),
    },
  });
  return { path: 'model.onnx', proto, external: new Map() };
}

const weights = { w: waves(20, 8), c: waves(5, 9), v: waves(15, 7) };
const config = { id2label: { 0: 'a' }, label2id: { a: 0 } };
let next = 0;

/** Trains by giving other weights, exports, and reads what was written. */
async function written(source: OnnxModel, dtype: FloatType | undefined, given = weights) {
  releaseElements(source, new Set(Object.keys(given)));
  const path = join(folder, String(next++));
  const data = Object.entries(given).map(([name, values]) => ({ name, data: values }));
  await exportModel(path, { source, weights: data, config, ...(dtype && { dtype }) });
  const model = await readModel(path);
  const graph = model.proto.graph!;
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const { opType, output, attribute } of graph.node) {
    if (opType === 'Constant') constants.set(output[0]!, attribute[0]!.t!);
  }
  const types = Object.fromEntries(
    [...constants].map(([name, tensor]) => [name, dataTypeName(tensor.dataType)]),
  );
  return { types, constants, file: join(path, 'model.onnx') };
}

const narrow: FloatType = { type: 'float16', weights: new Set(Object.keys(weights)) };
const x = { x: ramp(2, 4) };

test('any model is written in float32 as it was trained, to the bit', async () => {
  const expected = await runModel((await written(attention('float32'), undefined)).file, x);
  for (const source of ['float32', 'float16', 'bfloat16'] as const) {
    const { types, constants, file } = await written(attention(source), { type: 'float32' });
    const { one: _, ...floats } = types;
    assert.ok(
      Object.values(floats).every((type) => type === 'float32'),
      JSON.stringify(types),
    );
    for (const [name, data] of Object.entries(weights))
      assert.deepEqual(floatElements(tensorData(constants.get(name)!)), data);
    // A float16 source has no fill of −3.4e38; −∞ masks just as well.
    assert.ok(difference((await runModel(file, x)).y!, expected.y!) < 1e-6, source);
  }
});

test('weights are stored in float16, and what has no float16 stays as it is', async () => {
  const expected = await runModel((await written(attention('float32'), undefined)).file, x);
  for (const source of ['float32', 'float16', 'bfloat16'] as const) {
    const { types, constants, file } = await written(attention(source), narrow);
    assert.deepEqual(types, { w: 'float16', c: 'float16', v: 'float16', fill: 'float32', one: 'int64' });
    for (const [name, data] of Object.entries(weights))
      assert.deepEqual(tensorData(constants.get(name)!).bytes, float32ToFloat16(data));
    const { y } = await runModel(file, x);
    const far = difference(y!, expected.y!);
    assert.ok(far < 1e-3 && far > 0, `${source}: ${far}`);
  }
});

test('frozen weights keep their elements, rounded', async () => {
  const { w: _, ...trained } = weights;
  const { constants } = await written(attention('float32'), narrow, trained as typeof weights);
  assert.deepEqual(tensorData(constants.get('w')!).bytes, float32ToFloat16(waves(20, 1)));
});

test('a weight that float16 ends before is refused by name, with the way out', async () => {
  const beyond = { ...weights, c: Float32Array.of(1, 2, -65520, 4, 5) };
  for (const [source, dtype] of [
    ['float32', narrow],
    ['float16', undefined],
  ] as const) {
    await assert.rejects(written(attention(source), dtype, beyond), (error: SesdError) => {
      assert.equal(error.code, 'SESD_OUTPUT');
      assert.match(error.message, /'c' has the weight -65520, and float16 ends at 65504/);
      assert.match(error.hint!, /--export-dtype float32/);
      return true;
    });
  }
  const last = { ...weights, c: Float32Array.of(1, 2, -65519, Number.POSITIVE_INFINITY, 5) };
  await written(attention('float32'), narrow, last);
});
