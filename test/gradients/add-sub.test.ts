import assert from 'node:assert/strict';
import { ALL, gradientTests, random } from './check.ts';

for (const op of ['Add', 'Sub']) {
  gradientTests(op, {
    'equal shapes': {
      inputs: { a: random([2, 3]), b: random([2, 3], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'a bias': {
      inputs: { a: random([2, 3, 4]), b: random([4], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'an inner axis of 1, and leading ones': {
      inputs: { a: random([2, 3, 4]), b: random([3, 1], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'both sides broadcast': {
      inputs: { a: random([3, 1]), b: random([2, 1, 4], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'a scalar': {
      inputs: { a: random([]), b: random([2, 3], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'one value on both sides': { inputs: { a: random([2, 3]) }, build: (g) => g.op(op, ['a', 'a']) },
  });
}

gradientTests('Add', {
  'a bias gradient is one sum': {
    inputs: { a: random([2, 3, 4]), b: random([4], 2) },
    build: (g) => g.op('Add', ['a', 'b']),
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['ReduceSum'],
      ),
  },
});

gradientTests('Sum', {
  'three operands that broadcast': {
    inputs: { a: random([2, 3]), b: random([3], 2), c: random([2, 1], 3) },
    build: (g) => g.op('Sum', ['a', 'b', 'c']),
    modes: ALL,
  },
});
