import { gradientTests, random } from './check.ts';

for (const op of ['Max', 'Min']) {
  gradientTests(op, {
    'against a constant': {
      inputs: { x: random([2, 5]) },
      build: (g) => g.op(op, ['x', g.scalar(0.1, 'float64')]),
    },
    'of trained operands that broadcast': {
      inputs: { a: random([2, 5]), b: random([5], 2), c: random([2, 1], 3) },
      build: (g) => g.op(op, ['a', 'b', 'c']),
    },
    'of a value and itself': { inputs: { a: random([4]) }, build: (g) => g.op(op, ['a', 'a']) },
  });
}

gradientTests('Clip', {
  'between two bounds': {
    inputs: { x: random([2, 6]) },
    build: (g) => g.op('Clip', ['x', g.scalar(-0.4, 'float64'), g.scalar(0.3, 'float64')]),
  },
  'from below only': {
    inputs: { x: random([2, 6]) },
    build: (g) => g.op('Clip', ['x', g.scalar(0, 'float64')]),
  },
  'from above only': {
    inputs: { x: random([2, 6]) },
    build: (g) => g.op('Clip', ['x', '', g.scalar(0, 'float64')]),
  },
});
