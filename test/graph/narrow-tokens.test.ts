import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32Tensor, GraphBuilder, int64Tensor } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { narrowTokens } from '../../src/graph/passes/narrow-tokens.ts';
import { cloneGraph } from '../../src/graph/rewrite.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { parseModel } from '../../src/onnx/read.ts';
import { prepareTiny, type TinyFile } from '../bert/tiny-bert.ts';
import { normal } from '../engine/run-op.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';

const feeds = { x: ramp(2, 5, 8), mask: ramp(2, 1, 5, 5) };

/** One attention layer over two heads whose states are read at one token. */
function layer(token: number, extra?: (builder: GraphBuilder, states: string) => string): Graph {
  const graph: Graph = {
    ...{ opset: 18, inputs: ['x', 'mask'], outputs: [], nodes: [], initializers: new Map() },
    types: new Map([
      ['x', { dtype: 'float32', dims: ['batch', 'sequence', 8] }],
      ['mask', { dtype: 'float32', dims: ['batch', 1, 'sequence', 'sequence'] }],
    ]),
  };
  const g = new GraphBuilder(graph, inferGraph(graph));
  let seed = 1;
  const weight = (...dims: number[]) =>
    g.constant(
      float32Tensor(
        normal(
          dims.reduce((a, b) => a * b, 1),
          seed++,
        ),
        dims,
      ),
    );
  const heads = (value: string, perm: number[]) =>
    g.op('Transpose', [g.op('Reshape', [g.op('MatMul', [value, weight(8, 8)]), g.ints(0, 0, 2, 4)])], {
      attributes: { perm },
    });
  const scores = g.op('MatMul', [heads('x', [0, 2, 1, 3]), heads('x', [0, 2, 3, 1])]);
  const probabilities = g.op('Softmax', [g.op('Add', [scores, 'mask'])], {
    name: 'probabilities',
    attributes: { axis: -1 },
  });
  const context = g.op('Transpose', [g.op('MatMul', [probabilities, heads('x', [0, 2, 1, 3])])], {
    attributes: { perm: [0, 2, 1, 3] },
  });
  const sum = g.op('Add', [g.op('Reshape', [context, g.ints(0, 0, 8)]), 'x']);
  const states = g.op('LayerNormalization', [sum, weight(8), weight(8)], {
    name: 'states',
    attributes: { axis: -1 },
  });
  graph.outputs = [
    g.op('Gather', [states, g.constant(int64Tensor([token], []))], { attributes: { axis: 1 } }),
  ];
  if (extra) graph.outputs.push(extra(g, states));
  return graph;
}

async function narrowed(graph: Graph): Promise<{ changed: boolean; graph: Graph }> {
  const result = cloneGraph(graph);
  const changed = narrowTokens(new GraphBuilder(result, inferGraph(result)));
  inferGraph(result);
  const [before, after] = [
    await runModel(serializeGraph(graph), feeds),
    await runModel(serializeGraph(result), feeds),
  ];
  for (const output of graph.outputs) assert.ok(difference(after[output]!, before[output]!) < 1e-6, output);
  return { changed, graph: result };
}

test('only the token that is read is computed, and it is the same', async () => {
  for (const token of [0, 3]) {
    const { changed, graph } = await narrowed(layer(token));
    assert.ok(changed);
    assert.deepEqual(graph.types.get('probabilities')?.dims, ['batch', 2, 1, 'sequence']);
    assert.deepEqual(graph.types.get('states')?.dims, ['batch', 1, 8]);
  }
});

test('a value that something else reads whole stays whole, and so does all that it needs', async () => {
  const { changed, graph } = await narrowed(layer(0, (g, states) => g.op('Relu', [states])));
  assert.equal(changed, false);
  assert.deepEqual(graph.types.get('states')?.dims, ['batch', 'sequence', 8]);
  const other = await narrowed(
    layer(0, (g, states) =>
      g.op('Gather', [states, g.constant(int64Tensor([2], []))], { attributes: { axis: 1 } }),
    ),
  );
  assert.equal(other.changed, false);
});

test('the last layer of a BERT computes what the head reads, in both exporters, and all of it for the mean', async () => {
  for (const file of ['model.onnx', 'model-dynamo.onnx'] as const) {
    // One takes the token from the states for the head, one from the states below for query and residual.
    assert.equal(await tokenGathers('cls', file), 2, file);
    assert.equal(await tokenGathers('mean', file), 0, file);
  }
});

async function tokenGathers(head: 'cls' | 'mean', file: TinyFile): Promise<number> {
  const { plan } = await prepareTiny({ head, classes: 3 }, file);
  const { node } = parseModel(plan.forward.model, 'forward').graph!;
  const axisOf = (each: (typeof node)[number]) => each.attribute.find(({ name }) => name === 'axis')?.i;
  return node.filter((each) => each.opType === 'Gather' && axisOf(each) === 1n).length;
}
