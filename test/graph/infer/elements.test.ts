import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Dim } from '../../../src/graph/dims.ts';
import type { DataType, Graph } from '../../../src/graph/graph.ts';
import { inferGraph, newInference } from '../../../src/graph/infer/infer.ts';

const END = 2 ** 53;

function builder(inputs: Record<string, [DataType, readonly Dim[] | undefined]>): GraphBuilder {
  const graph: Graph = {
    opset: 18,
    inputs: Object.keys(inputs),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(),
  };
  for (const [name, [dtype, dims]] of Object.entries(inputs)) graph.types.set(name, { dtype, dims });
  return new GraphBuilder(graph, newInference());
}

const bert = () =>
  builder({ ids: ['int64', ['batch', 'sequence']], x: ['float32', ['batch', 'sequence', 768]] });
const axis0 = { attributes: { axis: 0 } };

/** Shape → Gather → Unsqueeze, as TorchScript writes x.size(axis). */
function size(g: GraphBuilder, name: string, axis: number): string {
  const dim = g.op('Gather', [g.op('Shape', [name]), g.scalar(axis, 'int64')], axis0);
  return g.op('Unsqueeze', [dim, g.ints(0)]);
}

test('a Reshape target put together from sizes, as TorchScript splits heads', () => {
  const g = bert();
  const head = g.op('Div', [size(g, 'x', 2), g.ints(12)]);
  const target = g.op('Concat', [size(g, 'x', 0), size(g, 'x', 1), g.ints(12), head], axis0);
  const y = g.op('Reshape', ['x', target]);
  assert.deepEqual(g.typeOf(y), { dtype: 'float32', dims: ['batch', 'sequence', 12, 64] });
  const scores = g.op('MatMul', [
    g.op('Transpose', [y], { attributes: { perm: [0, 2, 1, 3] } }),
    g.op('Transpose', [y], { attributes: { perm: [0, 2, 3, 1] } }),
  ]);
  assert.deepEqual(g.typeOf(scores)?.dims, ['batch', 12, 'sequence', 'sequence']);
});

test('Reshape with 0 and -1 divides monomials', () => {
  const g = bert();
  assert.deepEqual(g.typeOf(g.op('Reshape', ['x', g.ints(-1, 768)]))?.dims, ['batch*sequence', 768]);
  assert.deepEqual(g.typeOf(g.op('Reshape', ['x', g.ints(0, -1)]))?.dims, ['batch', '768*sequence']);
  assert.deepEqual(g.typeOf(g.op('Reshape', ['x', g.ints(0, 0, 12, -1)]))?.dims, [
    'batch',
    'sequence',
    12,
    64,
  ]);
  const flat = g.op('Flatten', ['x'], { attributes: { axis: 2 } });
  const back = g.op('Reshape', [flat, g.op('Concat', [size(g, 'ids', 0), g.ints(-1, 768)], axis0)]);
  assert.deepEqual(g.typeOf(back)?.dims, ['batch', 'sequence', 768]);
});

test('the mask pattern of torch.expand: Where(Equal(shape, -1), ones, shape)', () => {
  const g = bert();
  const shape = g.op('Concat', [size(g, 'ids', 0), g.ints(1), size(g, 'ids', 1), size(g, 'ids', 1)], axis0);
  const ones = g.op('ConstantOfShape', [g.op('Shape', [shape])], {
    attributes: { value: { dtype: 'int64', dims: [1], bytes: new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]) } },
  });
  const isOpen = g.op('Equal', [shape, g.op('Mul', [ones, g.scalar(-1, 'int64')])]);
  const target = g.op('Where', [isOpen, ones, shape]);
  const mask = g.op('Unsqueeze', ['ids', g.ints(1, 2)]);
  assert.deepEqual(g.typeOf(g.op('Expand', [mask, target]))?.dims, ['batch', 1, 'sequence', 'sequence']);
});

test('a position table sliced to the sequence', () => {
  const g = bert();
  const positions = g.constant({ dtype: 'int64', dims: [1, 512], bytes: new Uint8Array(4096) });
  const sliced = g.op('Slice', [positions, g.ints(0), size(g, 'ids', 1), g.ints(1), g.ints(1)]);
  assert.deepEqual(g.typeOf(sliced)?.dims, [1, 'sequence']);
});

test('Range over a size, and what CumSum and comparisons make of it', () => {
  const g = bert();
  const length = g.op('Squeeze', [size(g, 'ids', 1), g.ints(0)]);
  const range = g.op('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')]);
  assert.deepEqual(g.typeOf(range), { dtype: 'int64', dims: ['sequence'] });
  const causal = g.op('LessOrEqual', [
    g.op('Unsqueeze', [range, g.ints(0)]),
    g.op('Unsqueeze', [range, g.ints(1)]),
  ]);
  assert.deepEqual(g.typeOf(causal), { dtype: 'bool', dims: ['sequence', 'sequence'] });
  assert.deepEqual(g.typeOf(g.op('CumSum', ['ids', g.scalar(1, 'int64')]))?.dims, ['batch', 'sequence']);
});

test('sums of sizes cancel, and the same sum is the same dim', () => {
  const g = bert();
  const more = g.op('Add', [size(g, 'ids', 1), g.ints(2)]);
  const zeros = (length: string) => g.typeOf(g.op('ConstantOfShape', [length]))!.dims![0]!;
  assert.equal(zeros(g.op('Sub', [more, g.ints(2)])), 'sequence');
  assert.equal(zeros(more), zeros(g.op('Add', [g.ints(2), size(g, 'x', 1)])));
  assert.notEqual(zeros(more), 'sequence');
  const shorter = zeros(g.op('Sub', [size(g, 'ids', 1), g.ints(1)]));
  const sliced = g.op('Slice', ['x', g.ints(1), g.ints(END), g.ints(1)]);
  assert.deepEqual(g.typeOf(sliced)?.dims, ['batch', shorter, 768]);
  const joined = g.op('Concat', ['x', 'x'], { attributes: { axis: 1 } });
  assert.deepEqual(g.typeOf(joined)?.dims, ['batch', '2*sequence', 768]);
});

test('products and reductions of sizes', () => {
  const g = bert();
  const tokens = g.op('ReduceProd', [g.op('Shape', ['ids'])], { attributes: { keepdims: 1 } });
  assert.deepEqual(g.elementsOf(tokens), ['batch*sequence']);
  assert.deepEqual(g.elementsOf(g.op('Size', ['x'])), ['768*batch*sequence']);
  const doubled = g.op('Mul', [g.op('Shape', ['ids']), g.ints(2, 1)]);
  assert.deepEqual(g.elementsOf(doubled), ['2*batch', 'sequence']);
  assert.deepEqual(g.elementsOf(g.op('Div', [doubled, g.ints(2, 1)])), ['batch', 'sequence']);
  assert.deepEqual(g.elementsOf(g.op('Max', [g.op('Shape', ['ids']), g.ints(1, 1)])), ['batch', 'sequence']);
});

test('dims broadcast the same way whatever the order', () => {
  const g = builder({ a: ['float32', ['p', 4]], b: ['float32', ['q', 1]], c: ['float32', ['r', 1]] });
  const left = g.op('Add', [g.op('Add', ['a', 'b']), 'c']);
  const right = g.op('Add', ['b', g.op('Add', ['c', 'a'])]);
  assert.deepEqual(g.typeOf(left), g.typeOf(right));
  assert.deepEqual(g.typeOf(g.op('Add', [left, 'b'])), g.typeOf(left));
});

test('an unknown op leaves its outputs without a type and what follows without dims', () => {
  const g = bert();
  const odd = g.op('Whatever', ['x'], { domain: 'acme' });
  assert.equal(g.typeOf(odd), undefined);
  const sum = g.op('Add', ['x', odd]);
  assert.deepEqual(g.typeOf(sum), { dtype: 'float32', dims: undefined });
  assert.deepEqual(g.typeOf(g.op('Reshape', [sum, g.ints(0, 768)]))?.dims?.[1], 768);
  assert.equal(g.typeOf(g.op('MatMul', [sum, 'x']))?.dims, undefined);
});

test('inferring a graph again gives the same dims, apart from those already there', () => {
  const g = builder({ x: ['float32', ['?0', 4]], y: ['float32', ['?3', 4]] });
  const sum = g.op('Concat', ['x', 'y'], axis0);
  const first = g.typeOf(sum);
  inferGraph(g.graph);
  assert.deepEqual(g.typeOf(sum)?.dims?.length, first?.dims?.length);
  assert.ok(!['?0', '?3'].includes(String(g.typeOf(sum)?.dims?.[0])));
});

test('a Range over a size, from a float that is cast to integers', () => {
  const g = bert();
  const sequence = g.op('Squeeze', [size(g, 'ids', 1), g.ints(0)]);
  const like = (value: number) => g.op('CastLike', [g.scalar(value), sequence]);
  assert.deepEqual(g.typeOf(g.op('Range', [like(0), sequence, like(1)]))?.dims, ['sequence']);
  const cast = g.op('Cast', [g.scalar(-2.7)], { attributes: { to: 7 } });
  assert.deepEqual(g.elementsOf(cast), [-2]); // towards zero
});
