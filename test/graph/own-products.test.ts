import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttributeInit, GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/dims.ts';
import { type Graph, opName } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { ownProducts, type Precision } from '../../src/graph/passes/own-products.ts';
import { cloneGraph } from '../../src/graph/rewrite.ts';
import { float32, normal, runGraph } from '../engine/run-op.ts';

interface Call {
  op: 'MatMul' | 'Gemm';
  inputs: readonly (readonly Dim[])[];
  attributes?: Record<string, AttributeInit>;
}

function graphOf({ op, inputs, attributes = {} }: Call): Graph {
  const names = inputs.map((_, i) => `input${i}`);
  const graph: Graph = {
    ...{ opset: 18, inputs: names, outputs: ['y'], nodes: [], initializers: new Map() },
    types: new Map(inputs.map((dims, i) => [names[i]!, { dtype: 'float32', dims: [...dims] }])),
  };
  new GraphBuilder(graph, inferGraph(graph)).op(op, names, { name: 'y', attributes });
  return graph;
}

function rewritten(call: Call, precision: Precision): Graph {
  const graph = cloneGraph(graphOf(call));
  ownProducts(new GraphBuilder(graph, inferGraph(graph)), precision);
  return graph;
}

const ops = (call: Call, precision: Precision) => rewritten(call, precision).nodes.map(opName);

const product: Call = {
  op: 'MatMul',
  inputs: [
    ['batch', 'sequence', 96],
    [96, 64],
  ],
};
const weightGradient: Call = {
  op: 'Gemm',
  inputs: [
    ['tokens', 96],
    ['tokens', 64],
  ],
  attributes: { transA: 1 },
};

test('in bf16 all large products are our own, in fp32 gradients of weights', () => {
  assert.deepEqual(ops(product, 'bf16'), ['sesd::Gemm']);
  assert.deepEqual(ops(product, 'fp32'), ['MatMul']);
  for (const precision of ['fp32', 'bf16'] as const)
    assert.deepEqual(ops(weightGradient, precision), ['sesd::Gemm']);
});

test('small, scaled and batched products stay with the runtime', () => {
  const stays = (call: Call) => assert.deepEqual(ops(call, 'bf16'), [call.op]);
  stays({
    op: 'MatMul',
    inputs: [
      ['batch', 96],
      [96, 3],
    ],
  });
  stays({
    op: 'Gemm',
    inputs: [
      ['batch', 96],
      [3, 96],
    ],
    attributes: { transB: 1 },
  });
  stays({
    op: 'MatMul',
    inputs: [
      ['batch', 12, 'sequence', 64],
      ['batch', 12, 64, 'sequence'],
    ],
  });
  stays({ op: 'MatMul', inputs: [[96], [96, 64]] });
  stays({ ...weightGradient, attributes: { transA: 1, alpha: { float: 0.5 } } });
});

const numbers: Call[] = [
  {
    op: 'MatMul',
    inputs: [
      [2, 1, 96],
      [96, 64],
    ],
  },
  { op: 'Gemm', inputs: [[5, 96], [64, 96], [64]], attributes: { transB: 1 } },
  {
    op: 'Gemm',
    inputs: [
      [70, 96],
      [70, 64],
    ],
    attributes: { transA: 1 },
  },
  {
    op: 'Gemm',
    inputs: [
      [70, 96],
      [64, 70],
    ],
    attributes: { transA: 1, transB: 1 },
  },
];

for (const call of numbers) {
  test(`${call.op} of ${JSON.stringify(call.inputs)} has the numbers it had, up to bf16's rounding`, async () => {
    const feeds = Object.fromEntries(
      call.inputs.map((dims, i) => {
        const count = (dims as number[]).reduce((a, b) => a * b, 1);
        return [`input${i}`, float32(dims as number[], normal(count, i + 1))];
      }),
    );
    const graph = rewritten(call, 'bf16');
    assert.deepEqual(graph.types.get('y'), graphOf(call).types.get('y'));
    assert.ok(graph.nodes.some((node) => opName(node) === 'sesd::Gemm'));
    const [{ y: found }, { y: expected }] = await Promise.all([
      runGraph(graph, feeds),
      runGraph(graphOf(call), feeds),
    ]);
    // two operands of 8 bits in each of some 80 products of deviation 1
    for (const [i, value] of expected!.entries()) assert.ok(Math.abs(found![i]! - value) < 0.15, `${i}`);
    assert.notDeepEqual(found, expected);
  });
}
