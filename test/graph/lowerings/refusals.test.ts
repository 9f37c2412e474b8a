import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SesdError } from '../../../src/errors.ts';
import { type AttributeInit, GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import { newInference } from '../../../src/graph/infer/infer.ts';
import { lowerNodes } from '../../../src/graph/lowerings/lower-nodes.ts';

/** What lowering says of one node over inputs of the given dims; '' is an absent input. */
function refusal(
  name: string,
  dims: readonly (readonly number[] | '')[],
  attributes: Record<string, AttributeInit>,
  outputs = 1,
): string {
  const [op, domain = ''] = name.split('::').reverse() as [string, string?];
  const names = dims.map((each, index) => each && `input${index}`);
  const graph: Graph = {
    opset: 18,
    inputs: names.filter(Boolean),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(
      names.flatMap((name, i) => (name ? [[name, { dtype: 'float32', dims: dims[i] as number[] }]] : [])),
    ),
  };
  const builder = new GraphBuilder(graph, newInference());
  graph.outputs = builder.multi(op, names, outputs, { domain, attributes });
  try {
    lowerNodes(graph);
  } catch (error) {
    assert.ok(error instanceof SesdError);
    assert.equal(error.code, 'SESD_UNSUPPORTED_OP');
    assert.ok(error.message.includes(`(${name}) `));
    assert.match(error.message, /node 'sesd\/node_/);
    assert.ok(error.hint);
    return error.message;
  }
  assert.fail(`${name} was lowered`);
}

const attention = (...more: (readonly number[] | '')[]) =>
  [[2, 4, 5], [5, 18], [18], ...more] as (readonly number[] | '')[];

test('what an encoder never does, and what no shape tells, is refused by node', () => {
  const heads = { num_heads: 2 };
  assert.match(
    refusal('com.microsoft::Attention', attention(), { ...heads, unidirectional: 1 }),
    /as a decoder does/,
  );
  assert.match(refusal('com.microsoft::Attention', attention(), { ...heads, do_rotary: 1 }), /rotates/);
  assert.match(refusal('com.microsoft::Attention', attention('', [2, 2, 2, 7, 3]), heads), /earlier calls/);
  assert.match(
    refusal('com.microsoft::Attention', attention([2, 1, 8, 8]), heads),
    /mask 'input3' of 4 axes/,
  );
  assert.match(
    refusal('com.microsoft::Attention', attention(), { num_heads: 4 }),
    /4 heads over .* of 6 columns/,
  );
  assert.match(refusal('com.microsoft::MultiHeadAttention', [[2, 4, 6]], heads), /no key and value/);
  const gemm: (readonly number[])[] = [
    [2, 3],
    [3, 4],
  ];
  assert.match(
    refusal('com.microsoft::FusedGemm', gemm, { activation: 'Elu' }),
    /activation 'Elu'; expected Relu/,
  );
  const statistics = refusal('com.microsoft::SkipLayerNormalization', [[2, 3, 4], [2, 3, 4], [4]], {}, 2);
  assert.match(statistics, /an output 1 that is not provided/);
});

test('of Attention of ai.onnx, what an encoder never does is refused', () => {
  const heads = [2, 2, 4, 3];
  const projections = [heads, heads, heads];
  assert.match(refusal('Attention', projections, { is_causal: 1 }), /as a decoder does/);
  assert.match(refusal('Attention', projections, { softcap: { float: 5 } }), /caps its scores/);
  assert.match(refusal('Attention', [...projections, '', heads, heads], {}), /earlier calls/);
  assert.match(
    refusal('Attention', [heads, [2, 1, 4, 3], [2, 1, 4, 3]], {}),
    /2 heads of queries, 1 of keys/,
  );
  const flat = [2, 4, 6];
  const attributes = { q_num_heads: 4, kv_num_heads: 4 };
  assert.match(refusal('Attention', [flat, flat, flat], attributes), /4 heads over 'input0' \[2, 4, 6\]/);
  assert.match(refusal('RotaryEmbedding', [flat, [9, 3], [9, 3]], { num_heads: 4 }), /4 heads over 'input0'/);
});
