import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backward } from '../../src/autodiff/backward.ts';
import type { SesdError } from '../../src/errors.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/dims.ts';
import type { DataType, Graph } from '../../src/graph/graph.ts';
import { newInference } from '../../src/graph/infer/infer.ts';

function builder(
  inputs: Record<string, readonly Dim[] | undefined>,
  dtype: DataType = 'float32',
): GraphBuilder {
  const graph: Graph = {
    opset: 18,
    inputs: Object.keys(inputs),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(Object.entries(inputs).map(([name, dims]) => [name, { dtype, dims }])),
  };
  return new GraphBuilder(graph, newInference());
}

/** Differentiates `output` and returns the gradients and the ops they are made of. */
function differentiate(g: GraphBuilder, output: string, wrt: string[]) {
  g.graph.types.set('seed', g.typeOf(output)!);
  const before = g.graph.nodes.length;
  const gradients = backward(g.graph, g, { outputs: new Map([[output, 'seed']]), wrt });
  return { gradients, ops: g.graph.nodes.slice(before).map((node) => node.op) };
}

const hasCode =
  (code: string, ...parts: string[]) =>
  (error: SesdError) => {
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" names ${part}`);
    assert.ok(error.hint);
    return true;
  };

test('an op without a rule is an error by op and node, but only on the path of a gradient', () => {
  const g = builder({ x: [2, 3], w: [2, 3] });
  const odd = g.op('Hardmax', ['x']);
  const y = g.op('Mul', [odd, 'w']);
  assert.deepEqual([...differentiate(g, y, ['w']).gradients.keys()], ['w']);
  const name = g.graph.nodes[0]!.name;
  assert.throws(() => differentiate(g, y, ['x']), hasCode('SESD_NO_GRADIENT_RULE', 'Hardmax', name));
});

test('an op of an unknown domain on the path is named with its domain', () => {
  const g = builder({ x: [2, 3] });
  const y = g.op('Add', ['x', g.op('Swish', ['x'], { domain: 'acme' })]);
  assert.throws(() => differentiate(g, y, ['x']), hasCode('SESD_NO_GRADIENT_RULE', 'acme::Swish'));
});

test('half precision is told apart from a missing rule', () => {
  const g = builder({ x: [2, 3] }, 'float16');
  const y = g.op('Tanh', ['x']);
  assert.throws(() => differentiate(g, y, ['x']), hasCode('SESD_NO_GRADIENT_RULE', 'Tanh', 'float16'));
});

test('what the outputs do not depend on has no gradient, nor what only flat ops and integers connect', () => {
  const g = builder({ x: [2, 3], w: [2, 3], unused: [4] });
  const rounded = g.op('Round', ['w']);
  const steps = g.op('Cast', [g.op('Cast', ['w'], { attributes: { to: 7 } })], { attributes: { to: 1 } });
  const shape = g.op('Cast', [g.op('Shape', ['w'])], { attributes: { to: 1 } });
  const sum = g.op('Sum', ['x', rounded, steps, g.op('ReduceSum', [shape], { attributes: { keepdims: 0 } })]);
  const { gradients } = differentiate(g, sum, ['x', 'w', 'unused']);
  assert.deepEqual([...gradients], [['x', 'seed']]);
});

test('only nodes between outputs and wrt are differentiated', () => {
  const g = builder({ x: [2, 3], w: [3, 3] });
  const h = g.op('Tanh', [g.op('Exp', ['x'])]);
  const y = g.op('MatMul', [h, 'w']);
  g.op('Hardmax', [y]);
  assert.deepEqual(differentiate(g, y, ['w']).ops, ['Gemm']);
});

test('a gradient by a value inside the graph, beside one by its inputs', () => {
  const g = builder({ x: [2, 3] });
  const h = g.op('Tanh', ['x']);
  const { gradients } = differentiate(g, g.op('Exp', [h]), ['x', h]);
  assert.deepEqual([...gradients.keys()], ['x', h]);
  assert.deepEqual(g.typeOf(gradients.get(h)!)?.dims, [2, 3]);
});

test('gradients of a value used several times are added', () => {
  const g = builder({ x: [2, 3] });
  const y = g.op('Sum', [g.op('Neg', ['x']), g.op('Neg', ['x']), 'x']);
  assert.deepEqual(differentiate(g, y, ['x']).ops.sort(), ['Add', 'Add', 'Neg', 'Neg']);
});

test('several outputs, one of which feeds another', () => {
  const g = builder({ x: [2, 3], dh: [2, 3], dy: [2, 3] });
  const h = g.op('Exp', ['x']);
  const y = g.op('Neg', [h]);
  const gradients = backward(g.graph, g, {
    outputs: new Map([
      [h, 'dh'],
      [y, 'dy'],
    ]),
    wrt: ['x'],
  });
  assert.deepEqual(g.typeOf(gradients.get('x')!)?.dims, [2, 3]);
  assert.deepEqual(
    g.graph.nodes.slice(2).map((node) => node.op),
    ['Neg', 'Add', 'Mul'],
  );
});

test('the sum over broadcast axes is static where shapes are known and found at run time where not', () => {
  const known = builder({ x: ['batch', 'sequence', 4], b: [4], s: [1, 'sequence', 1] });
  const y = known.op('Add', [known.op('Add', ['x', 'b']), 's']);
  assert.deepEqual(differentiate(known, y, ['b', 's']).ops, ['ReduceSum', 'ReduceSum']);

  const unknown = builder({ x: ['p', 'q'], b: ['r'] });
  const { ops, gradients } = differentiate(unknown, unknown.op('Add', ['x', 'b']), ['b']);
  assert.ok(ops.includes('NonZero'));
  assert.deepEqual(unknown.typeOf(gradients.get('b')!)?.dims, ['r']);
});

test('a gradient that does not fit its input names op and input', () => {
  const g = builder({ x: [2, 3] });
  const y = g.op('Reshape', ['x', g.ints(3, 2)]);
  g.graph.types.set('x', { dtype: 'float64', dims: [2, 3] });
  assert.throws(
    () => differentiate(g, y, ['x']),
    hasCode('SESD_NO_GRADIENT_RULE', 'Reshape', '"x"', 'float64'),
  );
});

test('gradients may go to a graph of their own that shares types and initializers', () => {
  const g = builder({ x: [2, 3], s: [3], t: [3] });
  const y = g.op('LayerNormalization', ['x', 's', 't']);
  g.graph.types.set('seed', g.typeOf(y)!);
  const other = new GraphBuilder({ ...g.graph, nodes: [] }, newInference(), 'grad');
  const gradients = backward(g.graph, other, { outputs: new Map([[y, 'seed']]), wrt: ['x', 's'] });
  assert.equal(g.graph.nodes.length, 1);
  assert.deepEqual(g.graph.nodes[0]!.outputs.length, 3, 'mean and 1/σ were asked of the forward node');
  for (const name of ['x', 's']) {
    assert.deepEqual(g.typeOf(gradients.get(name)!), { dtype: 'float32', dims: g.typeOf(name)!.dims });
  }
});

test('scalar constants are shared', () => {
  const g = builder({ x: [2, 3] });
  differentiate(g, g.op('Sqrt', [g.op('Sqrt', [g.op('Sqrt', ['x'])])]), ['x']);
  assert.equal(g.graph.initializers.size, 1);
});

test('nothing is appended when no gradient is asked for', () => {
  const g = builder({ x: [2, 3] });
  assert.deepEqual(differentiate(g, g.op('Hardmax', ['x']), []).ops, []);
});
