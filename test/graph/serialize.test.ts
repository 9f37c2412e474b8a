import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { SesdError } from '../../src/errors.ts';
import { float32Tensor } from '../../src/graph/builder.ts';
import { importGraph } from '../../src/graph/import.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import { buildModel, float, node } from '../onnx/build-model.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

/** y = tanh(x·w)·c, and a second output z = −x. */
function graph() {
  const proto = buildModel({
    inputs: { x: float('batch', 3) },
    outputs: { y: undefined, z: undefined },
    nodes: [
      node('MatMul', ['x', 'w'], ['xw']),
      node('Tanh', ['xw'], ['t']),
      node('Mul', ['t', 'c'], ['y']),
      node('Neg', ['x'], ['z']),
    ],
    initializers: { w: float32Tensor([1, 2, 3, 4, 5, 6], [3, 2]), c: float32Tensor([2], []) },
  });
  return importGraph({ path: 'm', proto, external: new Map() });
}

const parsed = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes);

test('a graph is written with its types, opsets and initializers', () => {
  const source = graph();
  source.types.set('z', { dtype: 'float32', dims: ['2*batch', 3] });
  source.nodes[1]!.domain = 'com.microsoft';
  const model = parsed(serializeGraph(source));
  assert.ok(model.irVersion <= 10n);
  assert.deepEqual(
    model.opsetImport.map(({ domain, version }) => [domain, Number(version)]),
    [
      ['', 18],
      ['com.microsoft', 1],
    ],
  );
  const { input, output, initializer } = model.graph!;
  const dims = (info: (typeof input)[0]) => info.type?.tensorType?.shape?.dim.map(({ value }) => value.value);
  assert.deepEqual(dims(input[0]!), ['batch', 3n]);
  assert.deepEqual(dims(output[1]!), ['2*batch', 3n]);
  assert.equal(output[0]!.type, undefined);
  assert.deepEqual(
    initializer.map(({ name }) => name),
    ['w', 'c'],
  );
});

test('any values may be the inputs and outputs of a part', async () => {
  const source = graph();
  const whole = await runModel(serializeGraph(source), { x: ramp(4, 3) });
  source.types.set('xw', { dtype: 'float32', dims: ['batch', 2] });
  const first = serializeGraph(source, { inputs: ['x', 'w'], outputs: ['xw'] });
  assert.deepEqual(parsed(first).graph!.initializer, []);
  const w = { type: 'float32' as const, dims: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const { xw } = await runModel(first, { x: ramp(4, 3), w });
  const second = serializeGraph(source, { inputs: ['xw'], outputs: ['y'] });
  assert.deepEqual(
    parsed(second).graph!.node.map(({ opType }) => opType),
    ['Tanh', 'Mul'],
  );
  const { y } = await runModel(second, {
    xw: { type: 'float32', dims: [4, 2], data: xw!.data as Float32Array },
  });
  assert.equal(difference(whole.y!, y!), 0);
});

test('a nested graph cannot be written', () => {
  const source = graph();
  source.nodes[0]!.attributes = new Map([['then_branch', { kind: 'graph' }]]);
  assert.throws(
    () => serializeGraph(source),
    (error) =>
      error instanceof SesdError &&
      error.code === 'SESD_UNSUPPORTED_OP' &&
      /nested graph/.test(error.message),
  );
});
