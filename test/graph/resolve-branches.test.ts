import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { tensorToProto } from '../../src/graph/attributes.ts';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import {
  AttributeProtoSchema,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../../src/onnx/generated/onnx_pb.ts';
import { node } from '../onnx/build-model.ts';
import { agrees, imported, model, ops } from './imported.ts';

/** y = x + 1 where an axis of x, [batch, 4, 6], has `size` elements, else x − 1; each branch has a one of its own. */
function branching(axis: number, size: number): ModelProto {
  const branch = (name: string, nodes: NodeProto[], initializers: TensorProto[] = []) =>
    create(AttributeProtoSchema, {
      name,
      type: 5,
      g: { name, node: nodes, initializer: initializers, output: [{ name: 'result' }] },
    });
  const one = tensorToProto('one', float32Tensor([1], [1]));
  const choice = Object.assign(node('If', ['condition'], ['y']), {
    attribute: [
      branch('then_branch', [node('Add', ['x', 'one'], ['result'])], [one]),
      branch('else_branch', [node('Sub', ['x', 'one'], ['result'])], [one]),
    ],
  });
  const nodes = [
    node('Shape', ['x'], ['shape']),
    node('Gather', ['shape', 'axis'], ['size']),
    node('Equal', ['size', 'expected'], ['condition']),
    choice,
  ];
  return model(nodes, {
    initializers: { axis: int64Tensor([axis], []), expected: int64Tensor([size], []) },
  });
}

test('of an If whose condition follows from the shapes the branch that is taken stays', async () => {
  for (const [size, op] of [
    [4, 'Add'],
    [5, 'Sub'],
  ] as const) {
    const graph = await agrees(branching(1, size));
    assert.ok(ops(graph).includes(op), op);
    assert.ok(!graph.nodes.some(({ domain }) => domain === 'sesd'));
    assert.ok(!ops(graph).includes(op === 'Add' ? 'Sub' : 'Add'));
  }
});

test('an If whose condition depends on the input stays, with both branches before it', () => {
  const graph = imported(branching(0, 3));
  const choice = graph.nodes.find(({ domain }) => domain === 'sesd')!;
  assert.equal(choice.op, 'If');
  assert.equal(choice.inputs.length, 3);
});
