import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeParameter, findParameters } from '../../src/bert/parameters.ts';
import { float32Tensor, GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { newInference } from '../../src/graph/infer/infer.ts';

test('the frequencies of rotary positions are no weights', () => {
  const graph: Graph = {
    opset: 18,
    inputs: ['x', 'positions'],
    outputs: ['logits'],
    initializers: new Map([
      ['scale', float32Tensor([1, 2, 3, 4], [4])],
      ['frequencies', float32Tensor([1, 0.5, 0.25, 0.125], [4])],
    ]),
    nodes: [],
    types: new Map([
      ['x', { dtype: 'float32', dims: [2, 4] }],
      ['positions', { dtype: 'float32', dims: [2, 1] }],
    ]),
  };
  for (const [name, { dtype, dims }] of graph.initializers) graph.types.set(name, { dtype, dims });
  const builder = new GraphBuilder(graph, newInference());
  const angles = builder.op('Mul', ['positions', 'frequencies']);
  const turned = builder.op('Mul', ['x', builder.op('Cos', [angles])]);
  builder.op('Mul', [builder.op('Add', [turned, builder.op('Sin', [angles])]), 'scale'], { name: 'logits' });
  assert.deepEqual(findParameters(graph, graph), {
    names: ['scale'],
    frozen: [{ name: 'frequencies', reason: 'it only sets the angles of rotary positions' }],
  });
});

test('cosines and sines of rotary positions are no weights; ones and zeros are', () => {
  const angles = [0, 0, 1, 0.1, 2, 0.2];
  const tensors = {
    cosines: float32Tensor(angles.map(Math.cos), [3, 2]),
    sines: float32Tensor(angles.map(Math.sin), [3, 2]),
    scale: float32Tensor([1, 1, 1, 1], [2, 2]),
    shift: float32Tensor([0, 0, 0, 0], [2, 2]),
  };
  const graph: Graph = {
    opset: 18,
    inputs: [],
    outputs: Object.keys(tensors),
    initializers: new Map(Object.entries(tensors)),
    nodes: [],
    types: new Map(),
  };
  const { names, frozen } = findParameters(graph, graph);
  assert.deepEqual(names, ['scale', 'shift']);
  assert.deepEqual(
    frozen.map(({ name }) => name),
    ['cosines', 'sines'],
  );
});

test('matrices and tables decay, biases in whatever shape do not', () => {
  const decays = (...dims: number[]) =>
    describeParameter('weight', float32Tensor([], dims), { head: [], learningRateScale: 1 }).decay;
  assert.ok(decays(3, 4) && decays(1, 4) && decays(1, 24, 32) && decays(8, 4, 3));
  assert.ok(!decays(4) && !decays(1, 2, 1, 16));
});
