import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Tensor } from '../../src/graph/builder.ts';
import type { TensorData } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { widenFloats } from '../../src/graph/widen-floats.ts';
import type { ModelProto } from '../../src/onnx/generated/onnx_pb.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../../src/onnx/half.ts';
import { buildModel, bytesOf, float, node } from '../onnx/build-model.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

/** As converters write it: float32 outside, 16-bit floats inside. */
function model(dtype: 'float16' | 'bfloat16', to: number): ModelProto {
  const convert = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16;
  const half = (values: number[], dims: number[]): TensorData => ({
    dtype,
    dims,
    bytes: convert(Float32Array.from(values)),
  });
  return buildModel({
    inputs: { x: float('batch', 2) },
    outputs: { y: undefined },
    nodes: [
      node('Cast', ['x'], ['x16'], { to }),
      node('MatMul', ['x16', 'w'], ['m']),
      node('Shape', ['m'], ['shape']),
      node('ConstantOfShape', ['shape'], ['fill'], { value: half([0.5], [1]) }),
      node('Constant', [], ['b'], { value: half([1, -2], [2]) }),
      node('Add', ['m', 'fill'], ['mf']),
      node('Add', ['mf', 'b'], ['y16']),
      node('Cast', ['y16'], ['y'], { to: 1 }),
    ],
    initializers: { w: half([0.25, -1, 3, 0.125], [2, 2]) },
  });
}

test('a float16 graph in float32 computes the same', async () => {
  const source = model('float16', 10);
  const graph = importGraph({ path: 'm', proto: source, external: new Map() });
  assert.deepEqual(graph.initializers.get('w'), float32Tensor([0.25, -1, 3, 0.125], [2, 2]));
  assert.equal(graph.types.get('w')?.dtype, 'float32');
  assert.deepEqual(
    graph.nodes.map(({ op, outputs }) => [op, ...outputs]),
    [
      ['MatMul', 'm'],
      ['Shape', 'shape'],
      ['ConstantOfShape', 'fill'],
      ['Add', 'mf'],
      ['Add', 'y'],
    ],
  );
  const feeds = { x: ramp(3, 2) };
  const [half, full] = [await runModel(bytesOf(source), feeds), await runModel(serializeGraph(graph), feeds)];
  const apart = difference(half.y!, full.y!);
  assert.ok(apart < 2e-3, String(apart));
});

test('a bfloat16 graph, which no CPU runs, runs in float32', async () => {
  const graph = importGraph({ path: 'm', proto: model('bfloat16', 16), external: new Map() });
  const feeds = { x: ramp(1, 2) };
  const [a, b] = ramp(1, 2).data as Float32Array;
  const { y } = await runModel(serializeGraph(graph), feeds);
  const expected = [a! * 0.25 + b! * 3 + 1.5, a! * -1 + b! * 0.125 - 1.5];
  assert.ok(difference({ dims: [1, 2], data: expected }, y!) < 1e-6);
});

test('casts in the middle of a float32 graph go, whichever value is the output', () => {
  const source = buildModel({
    inputs: { x: float('batch', 2) },
    outputs: { y: undefined, z: undefined },
    nodes: [
      node('Cast', ['x'], ['x16'], { to: 10 }),
      node('Tanh', ['x16'], ['t16']),
      node('Cast', ['t16'], ['t'], { to: 1 }),
      node('Neg', ['t16'], ['y']),
      node('Cast', ['t'], ['z'], { to: 16 }),
    ],
  });
  const graph = importGraph({ path: 'm', proto: source, external: new Map() });
  assert.deepEqual(
    graph.nodes.map(({ op, inputs, outputs }) => [op, ...inputs, ...outputs]),
    [
      ['Tanh', 'x', 'z'],
      ['Neg', 'z', 'y'],
    ],
  );
});

test('a float32 graph has nothing to widen', () => {
  const source = buildModel({
    inputs: { x: float('batch', 2) },
    outputs: { y: undefined },
    nodes: [node('Cast', ['x'], ['x32'], { to: 1 }), node('Add', ['x32', 'w'], ['y'])],
    initializers: { w: float32Tensor([1, 2], [2]) },
  });
  const graph = importGraph({ path: 'm', proto: source, external: new Map() });
  assert.equal(widenFloats(graph), false);
  assert.equal(graph.nodes.length, 2);
});
