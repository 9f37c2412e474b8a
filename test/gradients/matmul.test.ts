import assert from 'node:assert/strict';
import { gradientTests, random } from './check.ts';

const shapes: Record<string, [number[], number[]]> = {
  'matrix by matrix': [
    [2, 3],
    [3, 4],
  ],
  'batch by matrix': [
    [2, 5, 3],
    [3, 4],
  ],
  'deeper batch by matrix': [
    [2, 2, 2, 3],
    [3, 4],
  ],
  'matrix by batch': [
    [2, 3],
    [5, 3, 4],
  ],
  'batch by batch': [
    [2, 4, 3],
    [2, 3, 5],
  ],
  'batches that broadcast': [
    [2, 1, 4, 3],
    [3, 3, 5],
  ],
  'vector by vector': [[3], [3]],
  'vector by matrix': [[3], [3, 4]],
  'matrix by vector': [[2, 3], [3]],
  'vector by batch': [[3], [2, 3, 4]],
  'batch by vector': [[2, 4, 3], [3]],
};

for (const [name, [a, b]] of Object.entries(shapes)) {
  gradientTests('MatMul', {
    [name]: { inputs: { a: random(a), b: random(b, 2) }, build: (g) => g.op('MatMul', ['a', 'b']) },
  });
}

gradientTests('MatMul', {
  'a weight costs two Gemms and no transposed copy': {
    inputs: { x: random([2, 5, 3]), w: random([3, 4], 2) },
    build: (g) => g.op('MatMul', ['x', 'w']),
    expectNodes: (nodes) => {
      assert.equal(nodes.filter((node) => node.op === 'Gemm').length, 2);
      assert.ok(nodes.every((node) => ['Gemm', 'Flatten', 'Reshape'].includes(node.op)));
    },
  },
  'only the weight is trained': {
    inputs: { x: random([2, 5, 3]), w: random([3, 4], 2) },
    build: (g) => g.op('MatMul', ['x', 'w']),
    wrt: ['w'],
    expectNodes: (nodes) => assert.equal(nodes.filter((node) => node.op === 'Gemm').length, 1),
  },
  'a transposed operand is not transposed twice': {
    inputs: { q: random([2, 4, 3]), k: random([2, 5, 3], 2) },
    wrt: ['q'],
    build: (g) => g.op('MatMul', ['q', g.op('Transpose', ['k'], { attributes: { perm: [0, 2, 1] } })]),
    expectNodes: (nodes) =>
      assert.deepEqual(
        nodes.map((node) => node.op),
        ['MatMul'],
      ),
  },
  'a transposed operand is transposed from the original': {
    inputs: { q: random([2, 2, 4, 3]), k: random([2, 4, 2, 3], 2) },
    wrt: ['q'],
    build: (g) => g.op('MatMul', ['q', g.op('Transpose', ['k'], { attributes: { perm: [0, 2, 3, 1] } })]),
    expectNodes: (nodes) => assert.equal(nodes.find((node) => node.op === 'Transpose')?.inputs[0], 'k'),
  },
});
