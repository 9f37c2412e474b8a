import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPositions } from '../../src/bert/positions.ts';
import { float32Tensor, GraphBuilder, int64Tensor } from '../../src/graph/builder.ts';
import { newInference } from '../../src/graph/infer/infer.ts';
import { GraphView } from '../../src/graph/view.ts';

/** What is found of a table of 514 positions that is gathered by the indices `emit` makes. */
function positionsBy(
  emit: (builder: GraphBuilder) => string,
  options?: Parameters<typeof findPositions>[2],
  rows = 514,
) {
  const builder = new GraphBuilder(
    {
      opset: 18,
      inputs: ['ids'],
      outputs: [],
      initializers: new Map([['table', float32Tensor(new Float32Array(rows * 2), [rows, 2])]]),
      nodes: [],
      types: new Map([
        ['ids', { dtype: 'int64', dims: ['batch', 'sequence'] }],
        ['table', { dtype: 'float32', dims: [rows, 2] }],
      ]),
    },
    newInference(),
  );
  builder.op('Gather', ['table', emit(builder)]);
  return findPositions(new GraphView(builder.graph), 'table', options);
}

const long = (builder: GraphBuilder, value: number) => builder.scalar(value, 'int64');

/** cumsum(ids ≠ 1)·(ids ≠ 1) + 1 as Transformers has it. */
function counted(builder: GraphBuilder): string {
  const cast = (value: string) => builder.op('Cast', [value], { attributes: { to: 7 } });
  const mask = cast(builder.op('Not', [builder.op('Equal', ['ids', long(builder, 1)])]));
  const count = cast(builder.op('CumSum', [mask, long(builder, 1)]));
  return builder.op('Add', [builder.op('Mul', [count, mask]), long(builder, 1)]);
}

test('positions counted from the ids begin behind the id of padding', () => {
  assert.deepEqual(positionsBy(counted), { longest: 512, first: 2, counted: true });
});

test('every row serves positions 0, 1, …, whether fed, made or of an unknown origin', () => {
  const range = (first: number) => (builder: GraphBuilder) =>
    builder.op('Range', [long(builder, first), long(builder, 9), long(builder, 1)]);
  assert.deepEqual(positionsBy(range(0)), { longest: 514, first: 0, counted: false });
  assert.deepEqual(positionsBy(range(2)), { longest: 512, first: 2, counted: false });
  assert.deepEqual(
    positionsBy(() => 'ids'),
    { longest: 514, first: 0, counted: false },
  );
});

test('a stored list of positions bounds them', () => {
  const list = (builder: GraphBuilder) => {
    const stored = builder.constant(
      int64Tensor(
        Array.from({ length: 128 }, (_, i) => i + 2),
        [1, 128],
      ),
    );
    return builder.op('Slice', [stored, builder.ints(0), builder.ints(9), builder.ints(1)]);
  };
  assert.deepEqual(positionsBy(list), { longest: 128, first: 0, counted: false });
});

test('a graph without a table of positions says nothing', () => {
  const graph = { opset: 18, inputs: [], outputs: [], initializers: new Map(), nodes: [], types: new Map() };
  assert.deepEqual(findPositions(new GraphView(graph), undefined), {
    longest: undefined,
    first: 0,
    counted: false,
  });
});

test('positions that are fed begin where the family has them, or the table', () => {
  const first = (config?: object, rows?: number) => positionsBy(() => 'ids', { fed: true, config }, rows);
  assert.deepEqual(first({ model_type: 'camembert', pad_token_id: 1 }), {
    longest: 512,
    first: 2,
    counted: true,
  });
  assert.deepEqual(first({ model_type: 'mpnet' }, 600), { longest: 598, first: 2, counted: true });
  assert.deepEqual(first({ model_type: 'roberta', pad_token_id: 0 }), {
    longest: 513,
    first: 1,
    counted: true,
  });
  assert.deepEqual(first({ model_type: 'roberta', pad_token_id: -7 }).first, 2);
  assert.deepEqual(first({ model_type: 'bert', pad_token_id: 0 }), {
    longest: 514,
    first: 0,
    counted: false,
  });
  assert.deepEqual(first(undefined), { longest: 512, first: 2, counted: true });
  assert.deepEqual(first({}, 512), { longest: 512, first: 0, counted: false });
});
