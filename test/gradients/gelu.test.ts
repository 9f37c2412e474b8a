import { ALL, gradientTests, random } from './check.ts';

const spread = (dims: number[], seed = 1) => {
  const x = random(dims, seed);
  return { ...x, data: x.data.map((value) => 4 * value) };
};

for (const approximate of ['none', 'tanh']) {
  gradientTests('Gelu', {
    [`approximate ${approximate}`]: {
      inputs: { x: spread([3, 4]) },
      build: (g) => g.op('Gelu', ['x'], { attributes: { approximate } }),
      modes: ALL,
    },
  });
}

gradientTests('com.microsoft::Gelu', {
  exact: { inputs: { x: spread([3, 4]) }, build: (g) => g.op('Gelu', ['x'], { domain: 'com.microsoft' }) },
});

gradientTests('com.microsoft::BiasGelu', {
  'of x + bias': {
    inputs: { x: spread([2, 3, 4]), bias: random([4], 2) },
    build: (g) => g.op('BiasGelu', ['x', 'bias'], { domain: 'com.microsoft' }),
  },
});

gradientTests('com.microsoft::FastGelu', {
  'with bias': {
    inputs: { x: spread([2, 3, 4]), bias: random([4], 2) },
    build: (g) => g.op('FastGelu', ['x', 'bias'], { domain: 'com.microsoft' }),
  },
  'without bias': {
    inputs: { x: spread([2, 3, 4]) },
    build: (g) => g.op('FastGelu', ['x'], { domain: 'com.microsoft' }),
  },
});
