import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64Tensor } from '../../src/graph/builder.ts';
import type { NodeProto } from '../../src/onnx/generated/onnx_pb.ts';
import { node } from '../onnx/build-model.ts';
import { agrees, imported, model, ops } from './imported.ts';

/** y, the element at `position` of x, [batch, 4, 6], split along its last axis. */
function element(position: number, split: readonly number[] | number | undefined, keepdims = 1) {
  const inputs = split === undefined ? ['x'] : ['x', 'split'];
  const nodes: NodeProto[] = [
    node('SplitToSequence', inputs, ['pieces'], { axis: -1, keepdims }),
    node('SequenceAt', ['pieces', 'position'], ['y']),
  ];
  const sizes = typeof split === 'number' ? int64Tensor([split], []) : int64Tensor(split ?? []);
  return model(nodes, {
    initializers: { position: int64Tensor([position], []), ...(split !== undefined && { split: sizes }) },
  });
}

test('an element of what was split is a slice of it', async () => {
  for (const [position, split] of [
    [0, 3],
    [1, 4], // the rest
    [-1, 4],
    [1, [1, 2, 3]],
    [-1, [1, 2, 3]],
    [5, undefined],
  ] as const) {
    assert.ok(ops(await agrees(element(position, split))).includes('Slice'));
  }
  assert.ok(ops(await agrees(element(2, undefined, 0))).includes('Squeeze'));
});

test('an element of values put together is that value', async () => {
  const nodes = [
    node('Neg', ['x'], ['negative']),
    node('SequenceConstruct', ['x', 'negative'], ['both']),
    node('SequenceAt', ['both', 'position'], ['y']),
  ];
  const graph = await agrees(model(nodes, { initializers: { position: int64Tensor([-1], []) } }));
  assert.deepEqual(ops(graph), ['Neg', 'Identity']);
});

test('a place that is not there, or is not known, stays', () => {
  for (const [position, split] of [
    [2, 3],
    [3, [1, 2, 3]],
    [-4, [1, 2, 3]],
  ] as const) {
    assert.ok(ops(imported(element(position, split))).includes('SequenceAt'));
  }
});
