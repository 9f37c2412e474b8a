import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64Tensor } from '../../src/graph/builder.ts';
import { checkSizes } from '../../src/graph/check-sizes.ts';
import { importGraph } from '../../src/graph/import.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import type { NodeProto } from '../../src/onnx/generated/onnx_pb.ts';
import { buildModel, float, node } from '../onnx/build-model.ts';

function check(nodes: NodeProto[], sizes: number[]): void {
  const proto = buildModel({
    inputs: { x: float('batch', 4) },
    outputs: { y: undefined },
    nodes,
    initializers: { sizes: int64Tensor(sizes) },
  });
  const graph = importGraph({ path: 'model.onnx', proto, external: new Map() });
  inferGraph(graph);
  checkSizes(graph);
}
const refused = (nodes: NodeProto[], sizes: number[], message: RegExp) =>
  assert.throws(() => check(nodes, sizes), { code: 'SESD_BAD_MODEL', message });

test('constants that a few bytes ask for end at 64 MB', () => {
  const filled = [node('ConstantOfShape', ['sizes'], ['c']), node('Add', ['x', 'c'], ['y'])];
  check(filled, [2 ** 22, 4]);
  refused(filled, [2 ** 23, 4], /\(ConstantOfShape\) gives 'c' of dims \[8388608,4\], more than 64 MB$/);
});

test('values of the input end at 1 GB for each example', () => {
  const repeated = [node('Tile', ['x', 'sizes'], ['y'])];
  check(repeated, [2, 2 ** 20]);
  refused(repeated, [1, 2 ** 28], /\(Tile\) gives 'y' of dims \[batch,1073741824\], more than 1024 MB$/);
  refused(repeated, [2 ** 28, 1], /of dims \[268435456\*batch,4\]/);
});
