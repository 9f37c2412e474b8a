import { gradientTests, random } from './check.ts';

const squared = (g: import('../../src/graph/builder.ts').GraphBuilder) => g.op('Mul', ['x', 'x']);

for (const op of ['ReduceMean', 'ReduceSum']) {
  for (const keepdims of [0, 1]) {
    for (const axes of [[1], [-1], [0, 2], [-3, -1], [0, 1, 2]]) {
      gradientTests(op, {
        [`axes ${axes}, keepdims ${keepdims}`]: {
          inputs: { x: random([2, 3, 4]) },
          build: (g) => g.op(op, ['x', g.ints(...axes)], { attributes: { keepdims } }),
        },
        [`axes ${axes}, keepdims ${keepdims}, of a product`]: {
          inputs: { x: random([2, 3, 4]) },
          build: (g) => g.op(op, [squared(g), g.ints(...axes)], { attributes: { keepdims } }),
        },
      });
    }
    gradientTests(op, {
      [`everything, keepdims ${keepdims}`]: {
        inputs: { x: random([2, 3]) },
        build: (g) => g.op(op, [squared(g)], { attributes: { keepdims } }),
        modes: ['static', 'named', 'anonymous', 'unranked'],
      },
      [`nothing when asked so, keepdims ${keepdims}`]: {
        inputs: { x: random([2, 3]) },
        build: (g) => g.op(op, [squared(g)], { attributes: { keepdims, noop_with_empty_axes: 1 } }),
      },
    });
  }
  gradientTests(op, {
    'axes known only at run time': {
      inputs: { x: random([2, 3, 4]), axes: { dtype: 'int64', dims: [1], data: Float64Array.of(1) } },
      build: (g) => g.op(op, [squared(g), 'axes'], { attributes: { keepdims: 0 } }),
    },
    'the reduced value beside the value itself': {
      inputs: { x: random([2, 3]) },
      build: (g) => g.op('Sub', ['x', g.op(op, ['x', g.ints(-1)])]),
    },
    'two reductions of one value': {
      inputs: { x: random([2, 3]) },
      build: (g) => [g.op(op, ['x', g.ints(0)]), g.op(op, ['x', g.ints(1)])],
    },
  });
}
