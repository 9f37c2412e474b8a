import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';
import { shareEqualMatrices } from '../../src/onnx/shared-matrices.ts';

function tensor(name: string, dims: number[], values: number[], dataType = 1): TensorProto {
  const rawData = new Uint8Array(Float32Array.from(values).buffer);
  return create(TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData });
}

function model(initializer: TensorProto[], outputs: string[] = []) {
  const inner = create(GraphProtoSchema, { node: [node('Neg', 'b')] });
  const branch = create(AttributeProtoSchema, { name: 'then_branch', g: inner });
  const graph = create(GraphProtoSchema, {
    initializer,
    node: [node('MatMul', 'x', 'a'), node('MatMul', 'y', 'b'), { ...node('If', 'c'), attribute: [branch] }],
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
  });
  return { path: '', proto: create(ModelProtoSchema, { graph }), external: new Map() };
}

function node(opType: string, ...input: string[]) {
  return create(NodeProtoSchema, { opType, input, output: [`${opType}(${input})`] });
}

function inputs({ proto }: ReturnType<typeof model>): string[] {
  const nodes = proto.graph!.node;
  return [...nodes, ...nodes.flatMap(({ attribute }) => attribute.flatMap(({ g }) => g?.node ?? []))].flatMap(
    ({ input }) => input,
  );
}

test('copies of a matrix become one, wherever they are read', () => {
  const shared = model([tensor('a', [2, 2], [1, 2, 3, 4]), tensor('b', [2, 2], [1, 2, 3, 4])]);
  assert.deepEqual(shareEqualMatrices(shared), ['b']);
  assert.deepEqual(
    shared.proto.graph!.initializer.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(inputs(shared), ['x', 'a', 'y', 'a', 'c', 'a']);
});

test('what only looks alike stays apart', () => {
  const cases = {
    'other elements': [tensor('a', [2, 2], [1, 2, 3, 4]), tensor('b', [2, 2], [1, 2, 3, 5])],
    'other dims': [tensor('a', [2, 2], [1, 2, 3, 4]), tensor('b', [1, 4], [1, 2, 3, 4])],
    'zeros, as a new adapter has': [tensor('a', [2, 2], [0, 0, 0, 0]), tensor('b', [2, 2], [0, 0, 0, 0])],
    vectors: [tensor('a', [4], [1, 2, 3, 4]), tensor('b', [4], [1, 2, 3, 4])],
    integers: [tensor('a', [2, 2], [1, 2, 3, 4], 6), tensor('b', [2, 2], [1, 2, 3, 4], 6)],
  };
  for (const [what, tensors] of Object.entries(cases))
    assert.deepEqual(shareEqualMatrices(model(tensors)), [], what);
});

test('a copy that is an output of the graph keeps its name', () => {
  const shared = model([tensor('a', [2, 2], [1, 2, 3, 4]), tensor('b', [2, 2], [1, 2, 3, 4])], ['b']);
  assert.deepEqual(shareEqualMatrices(shared), []);
  assert.deepEqual(inputs(shared), ['x', 'a', 'y', 'b', 'c', 'b']);
});
