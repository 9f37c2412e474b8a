import { ALL, gradientTests, ints, random } from './check.ts';

for (const op of ['Softmax', 'LogSoftmax']) {
  for (const axis of [-1, 1, 0]) {
    gradientTests(op, {
      [`axis ${axis}`]: {
        inputs: { x: random([2, 3, 4]) },
        build: (g) => g.op(op, ['x'], { attributes: { axis } }),
        modes: ALL,
      },
    });
  }
}

gradientTests('Softmax', {
  'a guarded row without any key': {
    inputs: { x: random([2, 3, 4]), keep: ints([3, 4], [1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0]) },
    build: (g) => {
      const none = g.op('Log', [g.op('Cast', ['keep'], { attributes: { to: 11 } })]);
      const y = g.op('Softmax', [g.op('Add', ['x', none])], { attributes: { axis: -1 } });
      return g.op('Where', [g.op('IsNaN', [y]), g.scalar(0, 'float64'), y]);
    },
  },
});
