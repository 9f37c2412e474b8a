import { ALL, gradientTests, random } from './check.ts';
import { tensor } from './evaluator/tensor.ts';

gradientTests('Where', {
  'a mask that broadcasts': {
    inputs: { mask: tensor('bool', [2, 1, 3], [1, 0, 1, 0, 0, 1]), a: random([2, 2, 3]), b: random([3], 2) },
    build: (g) => g.op('Where', ['mask', 'a', 'b']),
    modes: ALL,
  },
  'a constant side': {
    inputs: { mask: tensor('bool', [2, 3], [1, 0, 1, 0, 0, 1]), b: random([2, 3], 2) },
    build: (g) => g.op('Where', ['mask', g.scalar(-5, 'float64'), 'b']),
  },
});
