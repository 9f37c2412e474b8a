import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttributeInit } from '../../src/graph/builder.ts';
import { checkCase, type GradientCase, gradientTests, random } from './check.ts';

/** x [2, 4, 5] by a weight [6, 4 / groups, taps]. */
function convolution(taps: number, attributes: Record<string, AttributeInit> = {}, groups = 1): GradientCase {
  return {
    inputs: { x: random([2, 4, 5]), w: random([6, 4 / groups, taps], 2), b: random([6], 3) },
    build: (g) =>
      g.op('Conv', ['x', 'w', 'b'], { attributes: { kernel_shape: [taps], group: groups, ...attributes } }),
  };
}

gradientTests('Conv', {
  'a window of three with padding': convolution(3, { pads: [1, 1] }),
  'without padding': convolution(2),
  'unequal padding and gaps': convolution(3, { pads: [1, 3], dilations: [2] }),
  'in groups': convolution(3, { pads: [1, 1] }, 2),
  'every channel for itself': convolution(1, {}, 2),
  'the kernel size read off the weight': {
    inputs: { x: random([2, 4, 5]), w: random([6, 4, 3], 2) },
    modes: ['static'],
    build: (g) => g.op('Conv', ['x', 'w']),
  },
  'only the weight is trained': {
    ...convolution(3, { pads: [1, 1] }),
    wrt: ['w'],
    expectNodes: (nodes) => assert.ok(nodes.every((node) => node.op !== 'ConvTranspose')),
  },
});

test('Conv: what has no rule is refused by name', async () => {
  await assert.rejects(checkCase('Conv', convolution(3, { strides: [2] }), 'static'), {
    code: 'SESD_NO_GRADIENT_RULE',
    message: /Conv.*stride/,
  });
});
