import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { hoistShapes } from '../../src/graph/passes/hoist-shapes.ts';
import { cloneGraph } from '../../src/graph/rewrite.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { type Feed, ramp, runModel } from '../onnx/run-model.ts';

/** Ids [batch, sequence] and their rows of a table of 6 numbers, of which `shapeOf` gives the shape. */
async function hoisted(activation: (g: GraphBuilder, rows: string) => string) {
  const graph: Graph = {
    ...{ opset: 18, inputs: ['ids', 'table'], outputs: ['shape'], nodes: [], initializers: new Map() },
    types: new Map([
      ['ids', { dtype: 'int64', dims: ['batch', 'sequence'] }],
      ['table', { dtype: 'float32', dims: [9, 6] }],
    ]),
  };
  const g = new GraphBuilder(graph, inferGraph(graph));
  g.op('Shape', [activation(g, g.op('Gather', ['table', 'ids']))], { name: 'shape' });
  const result = cloneGraph(graph);
  hoistShapes(new GraphBuilder(result, inferGraph(result)), { from: ['ids'] });
  for (const [batch, sequence] of [
    [1, 1],
    [2, 7],
    [3, 4],
  ] as const) {
    const data = new BigInt64Array(batch * sequence);
    const feeds: Record<string, Feed> = {
      ids: { type: 'int64', dims: [batch, sequence], data },
      table: ramp(9, 6),
    };
    const [before, after] = [
      await runModel(serializeGraph(graph), feeds),
      await runModel(serializeGraph(result), feeds),
    ];
    assert.deepEqual(after.shape!.data, before.shape!.data, `${batch} × ${sequence}`);
  }
  const read = result.nodes.filter(({ op }) => op === 'Shape').map(({ inputs }) => inputs[0]!);
  return [...new Set(read)];
}

/** min(sequence, 5) as a vector of one element. */
function shorter(g: GraphBuilder): string {
  const sequence = g.op('Gather', [g.op('Shape', ['ids']), g.scalar(1, 'int64')]);
  return g.op('Unsqueeze', [g.op('Min', [sequence, g.scalar(5, 'int64')]), g.ints(0)]);
}

test('dims of an input, and numbers', async () => {
  assert.deepEqual(
    await hoisted((g, rows) => g.op('Transpose', [rows], { attributes: { perm: [1, 2, 0] } })),
    ['ids'],
  );
});

test('products of them', async () => {
  assert.deepEqual(await hoisted((g, rows) => g.op('Reshape', [rows, g.ints(-1, 3)])), ['ids']);
  assert.deepEqual(await hoisted((g, rows) => g.op('Reshape', [rows, g.ints(0, -1)])), ['ids']);
});

test('what is computed from them', async () => {
  const sliced = (g: GraphBuilder) => g.op('Slice', ['table', g.ints(0), shorter(g), g.ints(0)]);
  assert.deepEqual(await hoisted(sliced), ['ids']);
  assert.deepEqual(await hoisted((g) => g.op('Reshape', [sliced(g), g.ints(-1, 2)])), ['ids']);
});

test('a shape that follows from data stays', async () => {
  const [read] = await hoisted((g) => g.op('NonZero', ['ids']));
  assert.match(read!, /NonZero/);
});
