import assert from 'node:assert/strict';
import { dataTypeNumber } from '../../src/onnx/tensor.ts';
import { gradientTests, ints, random } from './check.ts';

gradientTests('Gather', {
  'embedding rows, some of them twice': {
    inputs: { table: random([5, 3]), ids: ints([2, 4], [0, 4, 4, 1, 0, 2, 4, 1]) },
    build: (g) => g.op('Gather', ['table', 'ids']),
    expectNodes: (nodes) => assert.ok(nodes.every((node) => node.op !== 'ScatterND')),
  },
  'negative indices': {
    inputs: { table: random([5, 3]), ids: ints([3], [-1, -5, 4]) },
    build: (g) => g.op('Gather', ['table', 'ids']),
  },
  'along an inner axis': {
    inputs: { x: random([2, 4, 3]), ids: ints([3], [3, 0, 3]) },
    build: (g) => g.op('Gather', ['x', 'ids'], { attributes: { axis: 1 } }),
  },
  'along the last axis, indices of rank 2': {
    inputs: { x: random([2, 3, 4]), ids: ints([2, 2], [3, 0, 3, 1]) },
    build: (g) => g.op('Gather', ['x', 'ids'], { attributes: { axis: -1 } }),
  },
  'one index known only at run time': {
    inputs: { x: random([2, 4, 3]), id: ints([], [2]) },
    build: (g) => g.op('Gather', ['x', 'id'], { attributes: { axis: 1 } }),
  },
  'the first token': {
    inputs: { x: random([2, 4, 3]) },
    build: (g) => g.op('Gather', ['x', g.scalar(0, 'int64')], { attributes: { axis: 1 } }),
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['Unsqueeze', 'Pad'],
      ),
  },
  'the last token': {
    inputs: { x: random([2, 4, 3]) },
    build: (g) => g.op('Gather', ['x', g.scalar(-1, 'int64')], { attributes: { axis: 1 } }),
  },
  'one constant row as a vector of one': {
    inputs: { x: random([2, 4, 3]) },
    build: (g) => g.op('Gather', ['x', g.ints(2)], { attributes: { axis: 1 } }),
  },
  'one constant row under two axes of 1': {
    inputs: { table: random([4, 3]) },
    build: (g) =>
      g.op('Gather', ['table', g.op('Unsqueeze', [g.ints(2), g.ints(0)])], { attributes: { axis: 0 } }),
  },
  'embedding rows by int32, as one fused op': {
    inputs: { table: random([5, 3], 1, 'float32'), ids: ints([2, 4], [0, 4, 4, 1, 0, 2, 4, 1]) },
    build: (g) =>
      g.op('Gather', ['table', g.op('Cast', ['ids'], { attributes: { to: dataTypeNumber.int32 } })]),
    fused: true,
    modes: ['static', 'named'],
    expectNodes: (nodes) => assert.ok(nodes.some((node) => node.op === 'EmbeddingGrad')),
  },
  'embedding rows as one fused op': {
    inputs: { table: random([5, 3], 1, 'float32'), ids: ints([2, 4], [0, 4, 4, 1, 0, 2, 4, 1]) },
    build: (g) => g.op('Gather', ['table', 'ids']),
    fused: true,
    modes: ['static', 'named'],
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['EmbeddingGrad'],
      ),
  },
});

gradientTests('GatherElements', {
  'last axis': {
    inputs: { x: random([2, 3]), ids: ints([2, 4], [0, 2, 2, 1, 1, -1, 0, 0]) },
    build: (g) => g.op('GatherElements', ['x', 'ids'], { attributes: { axis: 1 } }),
  },
  'last axis, as one fused op': {
    inputs: { x: random([2, 3], 1, 'float32'), ids: ints([2, 4], [0, 2, 2, 1, 1, -1, 0, 0]) },
    build: (g) => g.op('GatherElements', ['x', 'ids'], { attributes: { axis: -1 } }),
    fused: true,
    modes: ['static', 'named'],
    expectNodes: (nodes) => assert.ok(nodes.some((node) => node.op === 'GatherElementsGrad')),
  },
  'last axis of some rows, by int32, as one fused op': {
    inputs: { x: random([3, 2, 3], 1, 'float32'), ids: ints([2, 1, 4], [0, 2, 2, 1, 1, -1, 0, 0]) },
    build: (g) =>
      g.op('GatherElements', ['x', g.op('Cast', ['ids'], { attributes: { to: dataTypeNumber.int32 } })], {
        attributes: { axis: 2 },
      }),
    fused: true,
    modes: ['static', 'named'],
    expectNodes: (nodes) => assert.ok(nodes.some((node) => node.op === 'GatherElementsGrad')),
  },
  'first axis, fewer columns': {
    inputs: { x: random([3, 3]), ids: ints([4, 2], [0, 2, 2, 1, 1, 0, 0, 0]) },
    build: (g) => g.op('GatherElements', ['x', 'ids']),
  },
});

gradientTests('GatherND', {
  'single elements, some twice': {
    inputs: { x: random([2, 3]), ids: ints([4, 2], [0, 0, 1, 2, 1, 2, -1, -2]) },
    build: (g) => g.op('GatherND', ['x', 'ids']),
    modes: ['static'],
  },
  rows: {
    inputs: { x: random([2, 3, 4]), ids: ints([2, 2, 2], [0, 0, 1, 2, 1, 2, 1, 1]) },
    build: (g) => g.op('GatherND', ['x', 'ids']),
    modes: ['static'],
  },
  'slabs by one index, from a shape known only at run time': {
    inputs: { x: random([3, 2, 2]), ids: ints([4], [2, 0, 2, -1]) },
    build: (g) => g.op('GatherND', ['x', g.op('Unsqueeze', ['ids', g.ints(1)])]),
  },
  'tuples from a shape known only at run time': {
    inputs: { x: random([3, 2, 2]), a: ints([4], [2, 0, 2, 1]), b: ints([4], [1, 0, 1, 0]) },
    build: (g) => {
      const columns = ['a', 'b'].map((name) => g.op('Unsqueeze', [name, g.ints(1)]));
      return g.op('GatherND', ['x', g.op('Concat', columns, { attributes: { axis: 1 } })]);
    },
  },
});
