import { ALL, gradientTests, positive, random } from './check.ts';

for (const op of ['Abs', 'Cos', 'Erf', 'Exp', 'Identity', 'Neg', 'Relu', 'Sigmoid', 'Sin', 'Tanh']) {
  gradientTests(op, {
    'element by element': { inputs: { x: random([2, 3]) }, build: (g) => g.op(op, ['x']), modes: ALL },
    'of a scalar': { inputs: { x: random([], 5) }, build: (g) => g.op(op, ['x']) },
  });
}

for (const op of ['Log', 'Reciprocal', 'Sqrt']) {
  gradientTests(op, {
    'element by element': { inputs: { x: positive([2, 3]) }, build: (g) => g.op(op, ['x']), modes: ALL },
  });
}

// Each of these may receive the unexpanded gradient of a sum.
for (const op of [
  'Abs',
  'Cos',
  'Erf',
  'Exp',
  'Log',
  'Reciprocal',
  'Relu',
  'Sigmoid',
  'Sin',
  'Sqrt',
  'Tanh',
]) {
  gradientTests(op, {
    'under a sum': {
      inputs: { x: positive([2, 3]) },
      build: (g) => g.op('ReduceSum', [g.op(op, ['x']), g.ints(1)], { attributes: { keepdims: 0 } }),
    },
  });
}

gradientTests('Cast', {
  'to another float type and back': {
    inputs: { x: random([2, 3]) },
    build: (g) => g.op('Cast', [g.op('Cast', ['x'], { attributes: { to: 1 } })], { attributes: { to: 11 } }),
  },
});
