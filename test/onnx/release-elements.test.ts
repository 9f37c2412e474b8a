import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import { releaseElements } from '../../src/onnx/release-elements.ts';
import { buildModel, bytesOf, float, node } from './build-model.ts';
import { ramp, runModel } from './run-model.ts';

test('integers that a converter wrote element by element are there after the weights are let go', async () => {
  const proto = buildModel({
    inputs: { x: float(2, 3) },
    outputs: { y: undefined },
    nodes: [node('MatMul', ['x', 'w'], ['product']), node('Reshape', ['product', 'shape'], ['y'])],
    initializers: { w: float32Tensor(new Float32Array(6), [3, 2]), shape: int64Tensor([4], [1]) },
  });
  const [weight, shape] = proto.graph!.initializer;
  delete (shape as { rawData?: Uint8Array }).rawData;
  shape!.int64Data = [Uint8Array.of(4)];
  releaseElements({ path: 'model.onnx', proto, external: new Map() }, new Set(['w']));
  assert.equal(weight!.rawData.length, 0);
  weight!.rawData = new Uint8Array(24);
  const { y } = await runModel(bytesOf(proto), { x: ramp(2, 3) });
  assert.deepEqual(y!.dims, [4]);
});
