import assert from 'node:assert/strict';
import { gradientTests, ints, random } from './check.ts';
import { tensor } from './evaluator/tensor.ts';

gradientTests('Dropout', {
  'inference mode is the identity': {
    inputs: { x: random([2, 5]) },
    build: (g) => g.op('Dropout', [g.op('Neg', ['x']), g.scalar(0.25, 'float64')]),
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['Neg'],
      ),
  },
  'training mode': {
    random: true,
    inputs: { x: random([2, 5]) },
    build: (g) => g.op('Dropout', ['x', g.scalar(0.25, 'float64'), g.scalar(1, 'bool')]),
  },
  'training mode, default ratio': {
    random: true,
    inputs: { x: random([2, 5]) },
    build: (g) => g.op('Dropout', ['x', '', g.scalar(1, 'bool')]),
  },
  'mode and ratio known only at run time, on': {
    random: true,
    inputs: { x: random([2, 5]), ratio: tensor('float64', [], [0.2]), training: tensor('bool', [], [1]) },
    wrt: ['x'],
    build: (g) => g.op('Dropout', ['x', 'ratio', 'training']),
  },
  'mode and ratio known only at run time, off': {
    inputs: { x: random([2, 5]), ratio: tensor('float64', [], [0.2]), training: tensor('bool', [], [0]) },
    wrt: ['x'],
    build: (g) => g.op('Dropout', ['x', 'ratio', 'training']),
  },
});

gradientTests('sesd::Dropout', {
  'the same mask again': {
    inputs: { x: random([4, 8]), key: ints([2], [123456789, 4000000000]) },
    build: (g) =>
      g.op('Dropout', ['x', 'key'], { domain: 'sesd', attributes: { ratio: { float: 0.3 }, site: 7 } }),
  },
});
