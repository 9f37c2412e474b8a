import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { simplify } from '../../src/graph/passes/simplify.ts';
import { cloneGraph } from '../../src/graph/rewrite.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

const feeds = { x: ramp(2, 5, 3) };
const END = 2 ** 31 - 1;

/** The ops a Slice of x [batch, sequence, 3] becomes, with the numbers it gave before. */
async function simplified(
  starts: number[],
  ends: number[],
  axes: number[],
  steps?: number[],
): Promise<string[]> {
  const graph: Graph = {
    ...{ opset: 18, inputs: ['x'], outputs: ['y'], nodes: [], initializers: new Map() },
    types: new Map([['x', { dtype: 'float32', dims: ['batch', 'sequence', 3] }]]),
  };
  const g = new GraphBuilder(graph, inferGraph(graph));
  const bounds = [starts, ends, axes, ...(steps ? [steps] : [])].map((values) => g.ints(...values));
  g.op('Neg', [g.op('Slice', ['x', ...bounds])], { name: 'y' });
  const result = cloneGraph(graph);
  simplify(result, inferGraph(result));
  const [before, after] = [
    await runModel(serializeGraph(graph), feeds),
    await runModel(serializeGraph(result), feeds),
  ];
  assert.equal(difference(after.y!, before.y!), 0);
  return result.nodes.map(({ op }) => op);
}

test('a Slice of one position becomes a Gather', async () => {
  assert.deepEqual(await simplified([0], [1], [1]), ['Gather', 'Neg']);
  assert.deepEqual(await simplified([1], [2], [2], [1]), ['Gather', 'Neg']);
  assert.deepEqual(await simplified([1], [2], [-1]), ['Gather', 'Neg']);
  assert.deepEqual(await simplified([-1], [END], [2]), ['Gather', 'Neg']);
});

test('a Slice of everything goes, other ones stay', async () => {
  assert.deepEqual(await simplified([0], [END], [1]), ['Neg']);
  assert.deepEqual(await simplified([0, 0], [END, END], [0, 2], [1, 1]), ['Neg']);
  assert.deepEqual(await simplified([2], [-END], [2], [-1]), ['Slice', 'Neg']);
  assert.deepEqual(await simplified([0], [2], [2]), ['Slice', 'Neg']);
  assert.deepEqual(await simplified([0, 0], [1, 1], [1, 2]), ['Slice', 'Neg']);
});
