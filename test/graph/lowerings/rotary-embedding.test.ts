import type { Feed } from '../../onnx/run-model.ts';
import { integers, loweringTests, random } from './check.ts';

// Two rows of four tokens, two heads of six; the angles of four tokens, or of seven positions.
const [byHead, flat] = [random([2, 2, 4, 6]), random([2, 4, 12])];
const positions = integers([2, 4], [0, 1, 2, 3, 6, 5, 1, 0]);

function angles(...dims: number[]): [Feed, Feed] {
  const angle = random(dims, 2);
  const of = (apply: (x: number) => number): Feed => ({
    ...angle,
    data: (angle.data as Float32Array).map(apply),
  });
  return [of(Math.cos), of(Math.sin)];
}

loweringTests('RotaryEmbedding', {
  'heads on an axis': { inputs: [byHead, ...angles(2, 4, 3)], opset: 23 },
  'heads side by side': { inputs: [flat, ...angles(2, 4, 3)], attributes: { num_heads: 2 }, opset: 23 },
  'by position': { inputs: [byHead, ...angles(7, 3), positions], opset: 23 },
  'neighbours paired': {
    inputs: [byHead, ...angles(2, 4, 3)],
    attributes: { interleaved: 1 },
    opset: 23,
  },
  'some columns only': {
    inputs: [flat, ...angles(7, 2), positions],
    attributes: { num_heads: 2, rotary_embedding_dim: 4 },
    opset: 23,
  },
});

loweringTests('com.microsoft::RotaryEmbedding', {
  'heads on an axis': { inputs: [byHead, positions, ...angles(7, 3)] },
  'heads side by side': { inputs: [flat, positions, ...angles(7, 3)], attributes: { num_heads: 2 } },
  'neighbours paired': {
    inputs: [flat, positions, ...angles(7, 3)],
    attributes: { num_heads: 2, interleaved: 1 },
  },
});
