import { gradientTests, ints, random } from './check.ts';

gradientTests('Concat', {
  'along the last axis': {
    inputs: { a: random([2, 3]), b: random([2, 1], 2), c: random([2, 2], 3) },
    build: (g) => g.op('Concat', ['a', 'b', 'c'], { attributes: { axis: -1 } }),
  },
  'along the first axis': {
    inputs: { a: random([1, 3]), b: random([2, 3], 2) },
    build: (g) => g.op('Concat', ['a', 'b'], { attributes: { axis: 0 } }),
  },
  'one trained part': {
    inputs: { a: random([2, 3]), b: random([2, 1], 2), c: random([2, 2], 3) },
    wrt: ['b'],
    build: (g) => g.op('Concat', ['a', 'b', 'c'], { attributes: { axis: 1 } }),
  },
  'one value twice': {
    inputs: { a: random([2, 3]) },
    build: (g) => g.op('Concat', ['a', 'a'], { attributes: { axis: 1 } }),
  },
});

gradientTests('Split', {
  'into equal parts': {
    inputs: { x: random([2, 6]) },
    build: (g) => g.multi('Split', ['x'], 3, { attributes: { axis: 1, num_outputs: 3 } }),
  },
  'into parts, the last smaller': {
    inputs: { x: random([2, 5]) },
    build: (g) => g.multi('Split', ['x'], 2, { attributes: { axis: -1, num_outputs: 2 } }),
  },
  'by sizes, one part unused': {
    inputs: { x: random([2, 6]) },
    build: (g) => {
      const parts = g.multi('Split', ['x', g.ints(1, 2, 3)], 3, { attributes: { axis: 1 } });
      return [parts[0]!, parts[2]!];
    },
  },
  'by sizes known only at run time': {
    inputs: { x: random([5, 2]), sizes: ints([2], [2, 3]) },
    build: (g) => g.multi('Split', ['x', 'sizes'], 2, { attributes: { axis: 0 } }),
  },
});
