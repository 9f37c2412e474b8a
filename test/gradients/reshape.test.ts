import { ALL, gradientTests, ints, random } from './check.ts';

gradientTests('Reshape', {
  'into heads': {
    inputs: { x: random([2, 3, 4]) },
    build: (g) => g.op('Reshape', ['x', g.ints(0, 0, 2, 2)]),
  },
  'with an inferred axis': {
    inputs: { x: random([2, 3, 4]) },
    build: (g) => g.op('Reshape', ['x', g.ints(0, -1)]),
  },
  'to a shape made at run time': {
    inputs: { x: random([2, 6]), y: random([3, 4], 2) },
    build: (g) => g.op('Mul', [g.op('Reshape', ['x', g.op('Shape', ['y'])]), 'y']),
    modes: ALL,
  },
  'to a shape that is an input': {
    inputs: { x: random([2, 6]), shape: ints([2], [3, 4]) },
    build: (g) => g.op('Reshape', ['x', 'shape']),
    modes: ALL,
  },
  'heads back together': {
    inputs: { x: random([2, 3, 2, 2]) },
    build: (g) => {
      const lead = g.op('Shape', ['x'], { attributes: { start: 0, end: 2 } });
      return g.op('Reshape', ['x', g.op('Concat', [lead, g.ints(-1)], { attributes: { axis: 0 } })]);
    },
  },
});

for (const axis of [0, 1, 2, -1, 3]) {
  gradientTests('Flatten', {
    [`axis ${axis}`]: {
      inputs: { x: random([2, 3, 2]) },
      build: (g) => g.op('Flatten', ['x'], { attributes: { axis } }),
      modes: ALL,
    },
  });
}

gradientTests('Squeeze', {
  'given axes': {
    inputs: { x: random([1, 3, 1, 2]) },
    build: (g) => g.op('Squeeze', ['x', g.ints(0, -2)]),
    modes: ALL,
  },
  'every axis of 1': { inputs: { x: random([1, 3, 1]) }, build: (g) => g.op('Squeeze', ['x']), modes: ALL },
});

gradientTests('Unsqueeze', {
  'given axes': {
    inputs: { x: random([3, 2]) },
    build: (g) => g.op('Unsqueeze', ['x', g.ints(0, -1)]),
    modes: ALL,
  },
});

gradientTests('Transpose', {
  'a cycle of axes': {
    inputs: { x: random([2, 3, 4]) },
    build: (g) => g.op('Transpose', ['x'], { attributes: { perm: [2, 0, 1] } }),
    modes: ALL,
  },
  reversed: { inputs: { x: random([2, 3, 4]) }, build: (g) => g.op('Transpose', ['x']), modes: ALL },
});

gradientTests('Expand', {
  'axes of 1 and new ones': {
    inputs: { x: random([3, 1]) },
    build: (g) => g.op('Expand', ['x', g.ints(2, 1, 4)]),
  },
  'to the shape of another value': {
    inputs: { x: random([1, 4]), y: random([3, 4], 2) },
    build: (g) => g.op('Mul', [g.op('Expand', ['x', g.op('Shape', ['y'])]), 'y']),
    modes: ALL,
  },
});

gradientTests('Tile', {
  'constant repeats': { inputs: { x: random([2, 3]) }, build: (g) => g.op('Tile', ['x', g.ints(3, 2)]) },
  'repeats known only at run time': {
    inputs: { x: random([2, 3]), repeats: ints([2], [1, 3]) },
    build: (g) => g.op('Tile', ['x', 'repeats']),
  },
});
