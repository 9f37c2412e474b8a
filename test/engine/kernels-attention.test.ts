import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostTensor } from '../../src/engine/contract.ts';
import * as reference from './kernel-reference.ts';
import { float32, int64, normal, runOp } from './run-op.ts';

const LOWEST = -3.4028234663852886e38;

interface Case {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  headSize: number;
  /** Dims and elements. */
  mask?: readonly [readonly number[], ArrayLike<number>];
  bias?: readonly [readonly number[], ArrayLike<number>];
  dropout?: reference.Dropout;
  /** Of the numbers in q and k. */
  spread?: number;
}

function inputsOf(c: Case) {
  const width = c.heads * c.headSize;
  return {
    q: normal(c.batch * c.queries * width, 1, c.spread),
    k: normal(c.batch * c.keys * width, 2, c.spread),
    v: normal(c.batch * c.keys * width, 3),
    dContext: normal(c.batch * c.queries * width, 4),
    scale: Math.fround(1 / Math.sqrt(c.headSize)),
  };
}

interface Found extends Record<'context' | 'logSumExp' | 'dQ' | 'dK' | 'dV', Float32Array> {
  /** The gradient of a bias, before it is summed to the bias's dims. */
  dScores?: Float32Array;
}

async function run(c: Case, threads?: number): Promise<Found> {
  const width = c.heads * c.headSize;
  const { q, k, v, dContext, scale } = inputsOf(c);
  const qDims = [c.batch, c.queries, width];
  const common: (HostTensor | undefined)[] = [
    float32(qDims, q),
    float32([c.batch, c.keys, width], k),
    float32([c.batch, c.keys, width], v),
    c.mask && float32(c.mask[0], c.mask[1]),
    c.dropout && int64([2], c.dropout.key),
  ];
  const options = {
    attributes: {
      num_heads: c.heads,
      scale: { float: scale },
      ratio: { float: c.dropout?.ratio ?? 0 },
      site: c.dropout?.site ?? 0,
    },
    ...(threads !== undefined && { threads }),
  };
  const bias = c.bias && float32(c.bias[0], c.bias[1]);
  const forward = await runOp({
    op: 'Attention',
    inputs: [...common, undefined, bias],
    outputs: ['context', 'logSumExp'],
    ...options,
  });
  const backward = await runOp({
    op: 'AttentionGrad',
    inputs: [
      ...common,
      float32(qDims, forward.context!),
      float32([c.batch, c.heads, c.queries], forward.logSumExp!),
      float32(qDims, dContext),
      undefined,
      bias,
    ],
    outputs: ['dQ', 'dK', 'dV', ...(bias ? ['dScores'] : [])],
    ...options,
  });
  return { ...forward, ...backward } as unknown as Found;
}

function expectedOf(c: Case) {
  const { dContext, ...inputs } = inputsOf(c);
  const addends = [c.mask, c.bias].flatMap((addend) => (addend ? [broadcast(...addend)] : []));
  const mask: reference.Attention['mask'] = (...index) =>
    addends.reduce((sum, addend) => Math.fround(sum + addend(...index)), 0);
  return reference.attention({ ...c, ...inputs, mask }, dContext);
}

/** The element of a mask of rank ≤ 4 at an index into [batch, heads, queries, keys]. */
function broadcast(dims: readonly number[], values: ArrayLike<number>) {
  return (...index: [number, number, number, number]) => {
    let at = 0;
    for (const [axis, dim] of dims.entries()) {
      at = at * dim + (dim === 1 ? 0 : index[axis + 4 - dims.length]!);
    }
    return values[at]!;
  };
}

async function check(c: Case, tolerance = 2e-6) {
  const [found, expected] = [await run(c), expectedOf(c)];
  for (const name of ['context', 'logSumExp', 'dQ', 'dK', 'dV', 'dScores'] as const) {
    if (name === 'dScores' && !c.bias) continue;
    const scale = expected[name].reduce(
      (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
      1e-3,
    );
    for (const [i, value] of found[name]!.entries()) {
      const target = expected[name][i]!;
      const error = value === target ? 0 : Math.abs(value - target) / scale;
      assert.ok(
        error <= tolerance,
        `${name}[${i}]: ${value}, expected ${target} (error ${error.toExponential(1)}) in ${JSON.stringify({ ...c, mask: c.mask?.[0], bias: c.bias?.[0] })}`,
      );
    }
  }
}

const SHAPES: readonly Case[] = [
  { batch: 1, heads: 1, queries: 1, keys: 1, headSize: 1 },
  { batch: 2, heads: 2, queries: 5, keys: 5, headSize: 4 },
  { batch: 1, heads: 3, queries: 7, keys: 19, headSize: 20 },
  // one query a row: what a [CLS] head reads
  { batch: 2, heads: 2, queries: 1, keys: 40, headSize: 32 },
  { batch: 1, heads: 2, queries: 33, keys: 33, headSize: 32 },
  // several blocks of queries, both ways
  { batch: 1, heads: 1, queries: 131, keys: 130, headSize: 64 },
  { batch: 1, heads: 1, queries: 2, keys: 512, headSize: 8 },
];

test('attention and its gradient', async () => {
  for (const shape of SHAPES) await check(shape);
});

test('dropout on the probabilities is recomputed in the gradient', async () => {
  for (const shape of SHAPES) await check({ ...shape, dropout: { key: [77, 5], site: 3, ratio: 0.2 } });
});

test('masks of every shape that broadcasts', async () => {
  const shape = { batch: 2, heads: 2, queries: 3, keys: 19, headSize: 8 };
  for (const dims of [
    [2, 1, 1, 19],
    [2, 1, 3, 19],
    [1, 2, 3, 19],
    [2, 2, 3, 19],
    [2, 2, 3, 1],
    [1, 1, 1, 1],
    [2, 3, 19],
    [3, 19],
    [19],
    [1],
    [],
  ]) {
    const mask = normal(
      dims.reduce((product, dim) => product * dim, 1),
      9,
    );
    await check({ ...shape, mask: [dims, mask] });
  }
});

test('a bias and its gradient, alone and beside a mask', async () => {
  const shape = { batch: 2, heads: 2, queries: 70, keys: 19, headSize: 8 };
  const random = (dims: number[], seed: number): [number[], ArrayLike<number>] => [
    dims,
    normal(
      dims.reduce((product, dim) => product * dim, 1),
      seed,
    ),
  ];
  for (const dims of [[2, 2, 70, 19], [1, 2, 70, 19], [2, 70, 1], [1, 1, 1, 19], []]) {
    const bias = random(dims, 9);
    await check({ ...shape, bias });
    const mask = random([2, 1, 1, 19], 10);
    await check({ ...shape, bias, mask, dropout: { key: [77, 5], site: 3, ratio: 0.2 } });
  }
});

test('padding masked by −∞ and by the lowest float', async () => {
  const shape = { batch: 3, heads: 2, queries: 21, keys: 21, headSize: 8 };
  for (const fill of [LOWEST, -Infinity, -10000, -1e9]) {
    for (const dropout of [undefined, { key: [1, 2], site: 0, ratio: 0.1 } as const]) {
      const mask = Array.from({ length: 3 * 21 }, (_, i) =>
        i % 21 < 21 - 6 * Math.floor(i / 21) ? 0 : fill,
      );
      await check({ ...shape, mask: [[3, 1, 1, 21], mask], ...(dropout && { dropout }) });
    }
  }
});

test('a row of −∞ gives zeros, a row of the lowest float the mean of the values', async () => {
  const shape = { batch: 2, heads: 1, queries: 4, keys: 18, headSize: 4 };
  for (const fill of [-Infinity, LOWEST]) {
    const mask = Array.from({ length: 2 * 18 }, (_, i) => (i < 18 ? fill : 0));
    const c: Case = { ...shape, mask: [[2, 1, 1, 18], mask] };
    await check(c);
    const { context, dQ, dK, dV } = await run(c);
    const first = context.slice(0, 4 * 4);
    if (fill === -Infinity) {
      for (const part of [first, dQ.slice(0, 16), dK.slice(0, 72), dV.slice(0, 72)])
        assert.ok(part.every((x) => x === 0));
    } else {
      const { v } = inputsOf(c);
      const mean = reference.columnSums(v.slice(0, 18 * 4), 4).map((sum) => sum / 18);
      for (const [i, value] of first.entries()) assert.ok(Math.abs(value - mean[i % 4]!) < 1e-6);
    }
  }
});

test('scores far from 0 keep their precision', async () => {
  // log-sum-exp of many hundreds: what is left of it after rounding does not tell P
  await check({ batch: 1, heads: 1, queries: 30, keys: 30, headSize: 16, spread: 6 }, 3e-5);
  await check({ batch: 1, heads: 2, queries: 30, keys: 30, headSize: 16, mask: [[1], [-3000]] }, 2e-3);
});

test('NaN is not lost', async () => {
  const c: Case = { batch: 1, heads: 1, queries: 2, keys: 20, headSize: 4 };
  const q = normal(8, 1);
  q[5] = Number.NaN;
  const [k, v] = [normal(80, 2), normal(80, 3)];
  const { context } = await runOp({
    op: 'Attention',
    inputs: [float32([1, 2, 4], q), float32([1, 20, 4], k), float32([1, 20, 4], v)],
    outputs: ['context'],
    attributes: { num_heads: c.heads, scale: { float: 0.5 } },
  });
  assert.ok(context!.slice(0, 4).every(Number.isFinite));
  assert.ok(context!.slice(4).every(Number.isNaN));
});

test('results do not depend on the number of threads', async () => {
  const c: Case = { ...SHAPES[2]!, batch: 4, dropout: { key: [3, 4], site: 1, ratio: 0.1 } };
  const expected = await run(c, 1);
  for (const threads of [2, 4]) assert.deepEqual(await run(c, threads), expected);
});

test('shapes that do not fit are refused', async () => {
  const call = (q: number[], k: number[], mask?: number[], num_heads = 2) => {
    const tensor = (dims: number[]) =>
      float32(dims, new Float32Array(dims.reduce((product, dim) => product * dim, 1)));
    return runOp({
      op: 'Attention',
      inputs: [tensor(q), tensor(k), tensor(k), mask && tensor(mask)],
      outputs: ['context'],
      attributes: { num_heads },
    });
  };
  await assert.rejects(call([1, 2, 5], [1, 2, 5]), /width that 2 heads divide, found \[1,2,5\]/);
  await assert.rejects(call([1, 2, 4], [2, 2, 4]), /k must be \[1,2,4\], found \[2,2,4\]/);
  await assert.rejects(
    call([1, 2, 4], [1, 3, 4], [1, 1, 1, 2]),
    /mask must broadcast to \[1,2,2,3\], found \[1,1,1,2\]/,
  );
  await assert.rejects(call([1, 2, 4], [1, 3, 4], undefined, 0), /num_heads must be at least 1/);
});
