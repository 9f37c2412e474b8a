import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Tensor, GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { narrowRelativePositions } from '../../src/graph/passes/narrow-relative-positions.ts';
import { cloneGraph } from '../../src/graph/rewrite.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { normal } from '../engine/run-op.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

const POSITIONS = 20;

/**
 * DeBERTa's scores by relative position over two heads: queries, turned into [batch × heads, queries, 4], by a table that is
 * projected, split into heads and repeated for each row of the batch; gathered at the distances from query to key.
 */
function scores({ negative = false, long = true } = {}): Graph {
  const graph: Graph = {
    ...{ opset: 18, inputs: ['x'], outputs: [], nodes: [], initializers: new Map() },
    types: new Map([['x', { dtype: 'float32', dims: ['batch', 'sequence', 8] }]]),
  };
  const g = new GraphBuilder(graph, inferGraph(graph));
  let seed = 1;
  const weight = (rows: number, columns: number) =>
    g.constant(float32Tensor(normal(rows * columns, seed++), [rows, columns]));
  const dim = (axis: number) => g.op('Shape', ['x'], { attributes: { start: axis, end: axis + 1 } });
  const [batch, sequence, one] = [dim(0), dim(1), g.ints(1)];
  const rows = g.op('Concat', [g.ints(-1), sequence, g.ints(4)], { attributes: { axis: 0 } });

  const heads = g.op('Transpose', [g.op('Reshape', ['x', g.ints(0, 0, 2, 4)])], {
    attributes: { perm: [0, 2, 1, 3] },
  });
  const queries = g.op('Reshape', [heads, rows]);
  const projected = g.op('MatMul', [g.op('Unsqueeze', [weight(POSITIONS, 8), g.ints(0)]), weight(8, 8)], {
    name: 'projected',
  });
  const split = g.op('Transpose', [g.op('Reshape', [projected, g.ints(1, POSITIONS, 2, -1)])], {
    attributes: { perm: [0, 2, 1, 3] },
  });
  const repeats = g.op('Concat', [batch, one, one], { attributes: { axis: 0 } });
  const tiled = g.op('Tile', [g.op('Reshape', [split, g.ints(-1, POSITIONS, 4)]), repeats]);
  const keys = g.op('Transpose', [tiled], { attributes: { perm: [0, 2, 1] } });
  const product = g.op('MatMul', [queries, keys], { name: 'product' });

  const scalar = g.op('Squeeze', [sequence]);
  const range = g.op('Range', [g.scalar(0, 'int64'), scalar, g.scalar(1, 'int64')]);
  const distances = g.op('Sub', [
    g.op('Unsqueeze', [range, g.ints(1)]),
    g.op('Unsqueeze', [range, g.ints(0)]),
  ]);
  const middle = g.scalar(POSITIONS / 2 - (negative ? POSITIONS : 0), 'int64');
  const places = g.op('Unsqueeze', [g.op('Add', [distances, middle]), g.ints(0)]);
  const everywhere = g.op('Concat', [g.op('Mul', [batch, g.ints(2)]), sequence, sequence], {
    attributes: { axis: 0 },
  });
  const indices = g.op('Expand', [long ? places : g.cast(places, 'int32'), everywhere]);
  graph.outputs = [g.op('GatherElements', [product, indices], { attributes: { axis: 2 } })];
  return graph;
}

/** The graph narrowed, and the length of the products' last axis in a run on sequences of 4 tokens. */
async function narrowed(graph: Graph): Promise<{ changed: boolean; positions: number }> {
  const feeds = { x: ramp(3, 4, 8) };
  const result = cloneGraph(graph);
  const changed = narrowRelativePositions(new GraphBuilder(result, inferGraph(result)));
  inferGraph(result);
  const before = await runModel(serializeGraph(graph), feeds);
  result.outputs.push('product');
  const after = await runModel(serializeGraph(result), feeds);
  for (const output of graph.outputs) assert.ok(difference(after[output]!, before[output]!) < 1e-6, output);
  return { changed, positions: after.product!.dims.at(-1)! };
}

test('only the positions that occur are computed, and the scores are the same', async () => {
  for (const options of [{}, { negative: true }, { long: false }]) {
    const { changed, positions } = await narrowed(scores(options));
    assert.ok(changed);
    assert.equal(positions, 7, JSON.stringify(options)); // from −3 to 3
  }
});

test('where all are computed anyway, the graph stays as it was', () => {
  const graph = scores();
  graph.outputs.push('product');
  const before = graph.nodes.length;
  assert.equal(narrowRelativePositions(new GraphBuilder(graph, inferGraph(graph))), false);
  assert.equal(graph.nodes.length, before);
});

test('positions that something else reads are computed', async () => {
  for (const value of ['projected', 'product']) {
    const graph = scores();
    graph.outputs.push(value);
    const { changed, positions } = await narrowed(graph);
    assert.equal(changed, value === 'projected', value);
    assert.equal(positions, changed ? 7 : POSITIONS, value);
  }
});
