import { gradientTests, positive, RANKED, random } from './check.ts';

const constant = (exponent: number) => ({
  inputs: { x: positive([2, 3]) },
  build: (g: import('../../src/graph/builder.ts').GraphBuilder) =>
    g.op('Pow', ['x', g.scalar(exponent, 'float64')]),
});

gradientTests('Pow', {
  squared: { ...constant(2), inputs: { x: random([2, 3]) } },
  'square root': constant(0.5),
  cubed: constant(3),
  'to the first': constant(1),
  'a negative power': constant(-1.5),
  'an exponent of another type': {
    inputs: { x: random([2, 3]) },
    build: (g) => g.op('Pow', ['x', g.scalar(3, 'int64')]),
  },
  'an exponent that is trained': {
    inputs: { x: positive([2, 3]), e: random([2, 3], 2) },
    build: (g) => g.op('Pow', ['x', 'e']),
  },
  'both broadcast': {
    inputs: { x: positive([2, 1]), e: random([3], 2) },
    build: (g) => g.op('Pow', ['x', 'e']),
    modes: [...RANKED, 'unranked'],
  },
});
