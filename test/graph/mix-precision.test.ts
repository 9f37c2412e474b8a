import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/dims.ts';
import { CANONICAL_OPSET, type Graph } from '../../src/graph/graph.ts';
import { newInference } from '../../src/graph/infer/infer.ts';
import { mixPrecision } from '../../src/graph/passes/mix-precision.ts';
import { removeDeadNodes } from '../../src/graph/rewrite.ts';

/** The ops of a graph, `Op:type` of what each makes, after its products went to half precision. */
function mixed(inputs: Record<string, readonly Dim[]>, build: (builder: GraphBuilder) => string): string[] {
  const graph: Graph = {
    ...{
      opset: CANONICAL_OPSET,
      inputs: Object.keys(inputs),
      outputs: [],
      nodes: [],
      initializers: new Map(),
    },
    types: new Map(Object.entries(inputs).map(([name, dims]) => [name, { dtype: 'float32', dims }])),
  };
  const builder = new GraphBuilder(graph, newInference());
  graph.outputs = [build(builder)];
  mixPrecision(builder, 'float16');
  removeDeadNodes(graph);
  return graph.nodes.map(({ op, outputs }) => `${op}:${graph.types.get(outputs[0]!)!.dtype}`);
}

const x = ['batch', 'sequence', 96] as const;
const w = [96, 64] as const;

describe('products in half precision', () => {
  test('operands are rounded, the result is float32 again', () => {
    const ops = mixed({ x, w }, (b) => b.op('MatMul', ['x', 'w']));
    assert.deepEqual(ops, ['Cast:float16', 'Cast:float16', 'MatMul:float16', 'Cast:float32']);
  });

  test('an operand of several products is rounded once', () => {
    const ops = mixed({ x, w, v: w }, (b) =>
      b.op('Add', [b.op('MatMul', ['x', 'w']), b.op('MatMul', ['x', 'v'])]),
    );
    assert.equal(ops.filter((op) => op === 'Cast:float16').length, 3);
  });

  test('what is only moved between products is not widened', () => {
    const ops = mixed({ x, w, v: [64, 96] }, (b) => {
      const moved = b.op('Transpose', [b.op('MatMul', ['x', 'w'])], { attributes: { perm: [1, 0, 2] } });
      return b.op('MatMul', [moved, 'v']);
    });
    assert.deepEqual(ops, [
      ...['Cast:float16', 'Cast:float16', 'MatMul:float16', 'Transpose:float16'],
      ...['Cast:float16', 'MatMul:float16', 'Cast:float32'],
    ]);
  });

  test('an addend stays in float32, and so does a product with a few logits', () => {
    const gemm = mixed({ x: ['n', 96], w, bias: [64] }, (b) => b.op('Gemm', ['x', 'w', 'bias']));
    assert.deepEqual(gemm.slice(-3), ['Gemm:float16', 'Cast:float32', 'Add:float32']);
    const logits = mixed({ x: ['n', 96], w: [96, 3] }, (b) => b.op('MatMul', ['x', 'w']));
    assert.deepEqual(logits, ['MatMul:float32']);
  });
});
