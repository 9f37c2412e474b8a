import assert from 'node:assert/strict';
import type { GraphBuilder } from '../../src/graph/builder.ts';
import { gradientTests, ints, random } from './check.ts';

const END = 2 ** 53;

function sliced(starts: number[], ends: number[], axes?: number[], steps?: number[]) {
  return {
    inputs: { x: random([3, 4, 6]) },
    build: (g: GraphBuilder) => {
      const inputs = ['x', g.ints(...starts), g.ints(...ends)];
      if (axes) inputs.push(g.ints(...axes));
      if (steps) inputs.push(g.ints(...steps));
      return g.op('Slice', inputs);
    },
  };
}

gradientTests('Slice', {
  // ONNX Runtime moves the Transpose past the gradient's Pad.
  'of transposed heads': {
    inputs: { x: random([2, 4, 3, 4]), y: random([2, 3, 4, 5], 2) },
    build: (g) => {
      const perm = { attributes: { perm: [0, 2, 1, 3] } };
      const part = g.op('Slice', [g.op('Transpose', ['x'], perm), g.ints(1), g.ints(3), g.ints(3)]);
      return g.op('MatMul', [g.op('Transpose', [part], { attributes: { perm: [0, 1, 3, 2] } }), 'y']);
    },
  },
  'half of the last axis': {
    ...sliced([0], [3], [2]),
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['Pad'],
      ),
  },
  'the other half': sliced([3], [END], [-1]),
  'first axes by default': sliced([1, 1], [2, 3]),
  'from the end': sliced([-2], [END], [1]),
  'up to the end': sliced([1], [-1], [1]),
  'several axes': sliced([1, 2], [3, 5], [0, 2], [1, 1]),
  'every second': sliced([0], [END], [2], [2]),
  'every second on two axes': sliced([1, 0], [END, 3], [2, 0], [2, 2]),
  backwards: sliced([-1], [-END], [2], [-1]),
  'bounds known only at run time': {
    inputs: { x: random([3, 4, 6]), starts: ints([2], [-2, 1]), ends: ints([2], [3, 5]) },
    build: (g) => g.op('Slice', ['x', 'starts', 'ends', g.ints(1, 2)]),
    modes: ['static'],
  },
  'one bound known only at run time': {
    inputs: { x: random([3, 4, 6]), start: ints([], [1]), end: ints([], [3]) },
    build: (g) => {
      const [start, end] = ['start', 'end'].map((name) => g.op('Unsqueeze', [name, g.ints(0)]));
      return g.op('Slice', ['x', start!, end!, g.ints(1)]);
    },
  },
  'a part as long as another value': {
    inputs: { x: random([6, 2]), y: random([4, 2], 2) },
    build: (g) => {
      const length = g.op('Shape', ['y'], { attributes: { start: 0, end: 1 } });
      return g.op('Mul', [g.op('Slice', ['x', g.ints(0), length, g.ints(0)]), 'y']);
    },
  },
});
