import type { AttributeInit, GraphBuilder } from '../../src/graph/builder.ts';
import { gradientTests, ints, random } from './check.ts';

const key = ints([2], [987654321, 12345]);

const op =
  (name: string, inputs: string[], attributes: Record<string, AttributeInit> = {}) =>
  (g: GraphBuilder) =>
    g.op(name, inputs, { domain: 'sesd', attributes });

for (const approximate of ['none', 'tanh']) {
  gradientTests('sesd::BiasGelu', {
    [`with bias, approximate ${approximate}`]: {
      inputs: { x: random([2, 3, 4]), bias: random([4], 2) },
      build: op('BiasGelu', ['x', 'bias'], { approximate }),
      modes: ['static'],
    },
    [`without bias, approximate ${approximate}`]: {
      inputs: { x: random([2, 3, 4]) },
      build: op('BiasGelu', ['x', ''], { approximate }),
      modes: ['static'],
    },
  });
}

const qkv = { q: random([2, 3, 4]), k: random([2, 5, 4], 2), v: random([2, 5, 4], 3) };
const heads = { num_heads: 2, scale: { float: 0.6 } };

gradientTests('sesd::Attention', {
  plain: { inputs: qkv, build: op('Attention', ['q', 'k', 'v'], heads) },
  'with a mask': {
    inputs: { ...qkv, mask: random([2, 1, 1, 5], 4) },
    wrt: ['q', 'k', 'v'],
    build: op('Attention', ['q', 'k', 'v', 'mask'], heads),
  },
  'with a bias': {
    inputs: { ...qkv, bias: random([1, 2, 3, 5], 4) },
    build: op('Attention', ['q', 'k', 'v', '', '', '', 'bias'], heads),
  },
  'with a mask and a bias for all queries and heads': {
    inputs: { ...qkv, mask: random([2, 1, 1, 5], 4), bias: random([5], 5) },
    wrt: ['q', 'k', 'v', 'bias'],
    build: op('Attention', ['q', 'k', 'v', 'mask', '', '', 'bias'], heads),
  },
  'with dropout': {
    inputs: { ...qkv, key },
    build: op('Attention', ['q', 'k', 'v', '', 'key'], { ...heads, ratio: { float: 0.3 }, site: 2 }),
  },
});

const branches = {
  x: random([2, 3, 4]),
  bias: random([4], 2),
  residual: random([2, 3, 4], 3),
  scale: random([4], 4),
  shift: random([4], 5),
};
const epsilon = { float: 1e-3 };

gradientTests('sesd::ResidualLayerNormalization', {
  'with bias': {
    inputs: branches,
    build: op('ResidualLayerNormalization', ['x', 'bias', 'residual', 'scale', 'shift'], { epsilon }),
    modes: ['static'],
  },
  'without bias, with dropout': {
    inputs: {
      x: branches.x,
      residual: branches.residual,
      scale: branches.scale,
      shift: branches.shift,
      key,
    },
    build: op('ResidualLayerNormalization', ['x', '', 'residual', 'scale', 'shift', 'key'], {
      epsilon,
      ratio: { float: 0.3 },
      site: 3,
    }),
    modes: ['static'],
  },
});
