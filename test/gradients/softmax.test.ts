import { ALL, gradientTests, random } from './check.ts';

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
