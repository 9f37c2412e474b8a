import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitBackward } from '../../src/autodiff/split.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { CANONICAL_OPSET, type Graph } from '../../src/graph/graph.ts';
import { newInference } from '../../src/graph/infer/infer.ts';
import { dataTypeNumber } from '../../src/onnx/tensor.ts';

const half = { attributes: { to: dataTypeNumber.float16 } };
const wide = { attributes: { to: dataTypeNumber.float32 } };

/** What is kept and what is run again, by op, when backward reads values of forward: x [n, 8], batch [n, 8], weight w [8, 8]. */
function split(forward: (b: GraphBuilder) => Record<string, string>, reads: readonly string[]) {
  const graph: Graph = {
    ...{
      opset: CANONICAL_OPSET,
      inputs: ['x', 'batch', 'w'],
      outputs: [],
      nodes: [],
      initializers: new Map(),
    },
    types: new Map(
      Object.entries({ x: ['n', 8], batch: ['n', 8], w: [8, 8] }).map(([name, dims]) => [
        name,
        { dtype: 'float32', dims },
      ]),
    ),
  };
  const builder = new GraphBuilder(graph, newInference());
  const values = forward(builder);
  const count = graph.nodes.length;
  for (const name of reads) builder.op('Identity', [values[name]!]);
  const { stash, nodes } = splitBackward(graph, count, new Set(['w']));
  const names = new Map(Object.entries(values).map(([name, value]) => [value, name]));
  return {
    kept: stash.map((value) => names.get(value)),
    again: nodes.slice(0, -reads.length).map(({ op }) => op),
  };
}

describe('what is kept of the forward pass', () => {
  test('what follows from the batch alone, and other views of what is kept, are computed again', () => {
    const found = split(
      (b) => {
        const mask = b.op('Tanh', ['batch']);
        const u = b.op('MatMul', [mask, 'w']);
        return { mask, u, view: b.op('Reshape', [u, b.ints(-1)]) };
      },
      ['mask', 'view'],
    );
    assert.deepEqual(found, { kept: ['u'], again: ['Tanh', 'Reshape'] });
  });

  test('of GELU its input: the rest follows from that element by element', () => {
    const found = split(
      (b) => {
        const u = b.op('MatMul', ['x', 'w']);
        const half = b.op('Div', [u, b.scalar(Math.SQRT2)]);
        const cdf = b.op('Add', [b.op('Erf', [half]), b.scalar(1)]);
        return { u, half, cdf, product: b.op('Mul', [u, cdf]) };
      },
      ['product', 'cdf', 'half', 'u'],
    );
    assert.deepEqual(found, { kept: ['u'], again: ['Div', 'Erf', 'Add', 'Mul'] });
  });

  test('of one matrix in two orders one, and of one that is repeated the original', () => {
    const found = split(
      (b) => {
        const u = b.op('MatMul', ['x', 'w']);
        const turned = b.op('Transpose', [b.op('Reshape', [u, b.op('Shape', ['batch'])])]);
        const v = b.op('MatMul', [u, 'w']);
        return { u, turned, v, tiled: b.op('Tile', [v, b.ints(2, 1)]) };
      },
      ['u', 'turned', 'tiled'],
    );
    assert.deepEqual(found, { kept: ['u', 'v'], again: ['Shape', 'Reshape', 'Transpose', 'Tile'] });
  });

  test('a value is kept where what it follows from is not', () => {
    const found = split(
      (b) => {
        const u = b.op('MatMul', ['x', 'w']);
        return { u, e: b.op('Exp', [u]) };
      },
      ['e'],
    );
    assert.deepEqual(found, { kept: ['e'], again: [] });
  });

  test('the narrow one of two forms, and of a weight none', () => {
    const found = split(
      (b) => {
        const weight = b.op('Cast', ['w'], half);
        const narrow = b.op('MatMul', [b.op('Cast', ['x'], half), weight]);
        return { weight, narrow, wide: b.op('Cast', [narrow], wide) };
      },
      ['weight', 'wide'],
    );
    assert.deepEqual(found, { kept: ['narrow'], again: ['Cast', 'Cast'] });
  });
});
