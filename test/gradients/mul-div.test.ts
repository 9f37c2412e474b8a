import { ALL, gradientTests, positive, random } from './check.ts';

for (const op of ['Mul', 'Div']) {
  gradientTests(op, {
    'equal shapes': {
      inputs: { a: random([2, 3]), b: positive([2, 3], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'broadcast on both sides': {
      inputs: { a: random([2, 1, 3]), b: positive([4, 1], 2) },
      build: (g) => g.op(op, ['a', 'b']),
      modes: ALL,
    },
    'a constant scalar': {
      inputs: { a: random([2, 3]) },
      build: (g) => g.op(op, ['a', g.scalar(8, 'float64')]),
    },
    'a constant on the left': {
      inputs: { b: positive([2, 3]) },
      build: (g) => g.op(op, [g.scalar(8, 'float64'), 'b']),
    },
    'one value on both sides': { inputs: { a: positive([3]) }, build: (g) => g.op(op, ['a', 'a']) },
  });
}
