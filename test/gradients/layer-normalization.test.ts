import assert from 'node:assert/strict';
import type { GraphBuilder } from '../../src/graph/builder.ts';
import { gradientTests, positive, random } from './check.ts';

const layerNorm = (axis: number) => (g: GraphBuilder) =>
  g.op('LayerNormalization', ['x', 's', 't'], { attributes: { axis, epsilon: { float: 1e-3 } } });

const inputs = { x: random([2, 3, 4]), s: positive([4], 2), t: random([4], 3) };

gradientTests('LayerNormalization', {
  'over the last axis': { inputs, build: layerNorm(-1) },
  'over the last axis by its number': { inputs, build: layerNorm(2) },
  'over two axes': {
    inputs: { ...inputs, s: positive([3, 4], 2), t: random([3, 4], 3) },
    build: layerNorm(-2),
  },
  'without bias': {
    inputs: { x: inputs.x, s: inputs.s },
    build: (g) => g.op('LayerNormalization', ['x', 's'], { attributes: { epsilon: { float: 1e-3 } } }),
  },
  'of the input alone': { inputs, build: layerNorm(-1), wrt: ['x'] },
  'of the scale alone': { inputs, build: layerNorm(-1), wrt: ['s'] },
  'as one fused op': {
    inputs: {
      x: random([2, 3, 4], 1, 'float32'),
      s: random([4], 2, 'float32'),
      t: random([4], 3, 'float32'),
    },
    build: layerNorm(-1),
    fused: true,
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['LayerNormalizationGrad'],
      ),
  },
  'written out': {
    inputs,
    build: (g) => {
      const mean = (x: string) => g.op('ReduceMean', [x, g.ints(-1)]);
      const centred = g.op('Sub', ['x', mean('x')]);
      const variance = mean(g.op('Pow', [centred, g.scalar(2, 'float64')]));
      const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(1e-3, 'float64')])]);
      const written = g.op('Add', [g.op('Mul', [g.op('Div', [centred, deviation]), 's']), 't']);
      return [written, layerNorm(-1)(g)];
    },
    expectNodes: (nodes) => assert.ok(nodes.every((node) => node.op !== 'Expand')),
  },
});
