import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { lowerDropout } from '../../src/graph/passes/lower-dropout.ts';
import { dropoutFactors } from './kernel-reference.ts';
import { float32, int64, normal, runGraph, runOp } from './run-op.ts';

type Key = readonly [number, number];

async function dropout(x: Float32Array, key: Key, site: number, ratio: number, threads?: number) {
  const { y } = await runOp({
    op: 'Dropout',
    inputs: [float32([x.length], x), int64([2], key)],
    outputs: ['y'],
    attributes: { ratio: { float: ratio }, site },
    ...(threads !== undefined && { threads }),
  });
  return y!;
}

test('the mask is the one of the specification, bit for bit', async () => {
  for (const [key, site, ratio, count] of [
    [[0, 0], 0, 0.1, 1000],
    [[42, 7], 12, 0.1, 37],
    [[2 ** 32 - 1, 2 ** 32 - 1], 2 ** 32 - 1, 0.5, 1001],
    [[3123456789, 1], 3, 0.999, 513],
    [[5, 6], 7, 1e-3, 2500],
    // across the blocks the work is cut into
    [[9, 8], 1, 0.25, 2 ** 15 + 100],
  ] as const) {
    const x = normal(count, 1);
    const factors = dropoutFactors(count, { key, site, ratio });
    const y = await dropout(x, key, site, ratio);
    assert.deepEqual(
      y,
      x.map((value, i) => (factors[i] === 0 ? 0 : value * factors[i]!)),
      `key ${key}, site ${site}, ratio ${ratio}, ${count} elements`,
    );
  }
});

test('stock operators compute the same mask', async () => {
  for (const [key, site, ratio] of [
    [[42, 7], 12, 0.1],
    [[2 ** 32 - 1, 2 ** 32 - 1], 38, 0.5],
  ] as const) {
    const x = normal(5000, 1);
    const graph: Graph = {
      opset: 18,
      inputs: ['x', 'key'],
      outputs: ['y'],
      initializers: new Map(),
      nodes: [],
      types: new Map([
        ['x', { dtype: 'float32', dims: ['rows', 50] }],
        ['key', { dtype: 'int64', dims: [2] }],
      ]),
    };
    const builder = new GraphBuilder(graph, inferGraph(graph));
    builder.op('Dropout', ['x', 'key'], {
      domain: 'sesd',
      name: 'y',
      attributes: { ratio: { float: ratio }, site },
    });
    lowerDropout(builder);
    assert.ok(graph.nodes.length > 1 && graph.nodes.every((node) => node.domain === ''));
    const { y } = await runGraph(graph, { x: float32([100, 50], x), key: int64([2], key) });
    // x·0 is −0 where x is negative
    assert.deepEqual(
      y!.map((value) => value + 0),
      await dropout(x, key, site, ratio),
    );
  }
});

test('ratio 0 and an absent key are the identity', async () => {
  const x = normal(100, 2);
  assert.deepEqual(await dropout(x, [1, 2], 3, 0), x);
  const { y } = await runOp({
    op: 'Dropout',
    inputs: [float32([4, 25], x), undefined],
    outputs: ['y'],
    attributes: { ratio: { float: 0.5 } },
  });
  assert.deepEqual(y, x);
});

test('a ratio of 1 or a key of another shape is refused', async () => {
  const call = (ratio: number, key: number[]) =>
    runOp({
      op: 'Dropout',
      inputs: [float32([3], [1, 2, 3]), int64([key.length], key)],
      outputs: ['y'],
      attributes: { ratio: { float: ratio } },
    });
  await assert.rejects(call(1, [0, 0]), /ratio must be in \[0, 1\), found 1/);
  await assert.rejects(call(0.1, [0, 0, 0]), /key must be \[2\], found \[3\]/);
});

const COUNT = 3 * 2 ** 17;
const ones = new Float32Array(COUNT).fill(1);

/** Kept or not as independent draws would have mean 0 and variance 1. */
async function standardized(key: Key, site: number, ratio: number): Promise<Float64Array> {
  const y = await dropout(ones, key, site, ratio);
  const sigma = Math.sqrt(ratio * (1 - ratio));
  return Float64Array.from(y, (value) => ((value > 0 ? 1 : 0) - (1 - ratio)) / sigma);
}

/** A standard normal number if the two are independent. */
function correlation(a: Float64Array, b: Float64Array, lag = 0): number {
  let sum = 0;
  for (let i = lag; i < a.length; i++) sum += a[i]! * b[i - lag]!;
  return sum / Math.sqrt(a.length - lag);
}

/** Of the variance of the sums over rows (or columns) of a matrix, a standard normal number. */
function dispersion(values: Float64Array, width: number, of: 'rows' | 'columns'): number {
  const height = values.length / width;
  const sums = new Float64Array(of === 'rows' ? height : width);
  for (let i = 0; i < values.length; i++)
    sums[of === 'rows' ? Math.floor(i / width) : i % width]! += values[i]!;
  const length = of === 'rows' ? width : height;
  const mean = sums.reduce((total, sum) => total + sum ** 2 / length, 0) / sums.length;
  return (mean - 1) / Math.sqrt(2 / sums.length);
}

/** About one in 10⁸ for a standard normal number; the keys are fixed, so a test that passes keeps passing. */
const LIMIT = 5.7;

function small(value: number, what: string) {
  assert.ok(Math.abs(value) < LIMIT, `${what}: ${value.toFixed(1)} standard deviations`);
}

test('elements are kept like independent draws, along rows and columns of any width', async () => {
  for (const [key, site] of [
    [[0, 0], 0],
    [[42, 1], 5],
    [[2718281828, 3141592653], 25],
  ] as const) {
    for (const ratio of [0.1, 0.5]) {
      const kept = await standardized(key, site, ratio);
      small(kept.reduce((sum, value) => sum + value, 0) / Math.sqrt(COUNT), 'keep rate');
      const widths = [2, 3, 8, 16, 64, 128, 256, 384, 512, 768, 1024, 3072, 4096, 16384, 2 ** 16];
      for (const width of widths) {
        for (const lag of [width - 1, width, width + 1]) small(correlation(kept, kept, lag), `lag ${lag}`);
        small(dispersion(kept, width, 'rows'), `sums of rows of ${width}`);
        small(dispersion(kept, width, 'columns'), `sums of columns, ${width} of them`);
      }
      for (let lag = 1; lag < 100; lag++) small(correlation(kept, kept, lag), `lag ${lag}`);
    }
  }
});

test('masks of other sites, steps and seeds are unrelated', async () => {
  const streams: [string, Key, number][] = [];
  for (let site = 0; site < 6; site++) streams.push([`site ${site}`, [42, 1], site]);
  for (let step = 2; step < 7; step++) streams.push([`key [42,${step}]`, [42, step], 0]);
  for (let seed = 43; seed < 48; seed++) streams.push([`key [${seed},1]`, [seed, 1], 0]);
  for (const bit of [16, 31]) {
    streams.push([`key[0] bit ${bit}`, [42 + 2 ** bit, 1], 0], [`key[1] bit ${bit}`, [42, 1 + 2 ** bit], 0]);
  }
  // what the counter advances by: the same numbers one element later, were key[0] not mixed in again
  streams.push(['the counter step', [42 + 747796405, 1], 0]);
  const masks: [string, Float64Array][] = [];
  for (const [name, key, site] of streams) masks.push([name, await standardized(key, site, 0.1)]);
  for (const [i, [name, mask]] of masks.entries()) {
    for (const [other, before] of masks.slice(0, i)) {
      for (const lag of [0, 1, 768]) small(correlation(mask, before, lag), `${name}, ${other}, lag ${lag}`);
    }
  }
});

test('the mask does not depend on the number of threads', async () => {
  const x = normal(10 ** 5, 3);
  const expected = await dropout(x, [1, 2], 3, 0.1, 1);
  for (const threads of [2, 4]) assert.deepEqual(await dropout(x, [1, 2], 3, 0.1, threads), expected);
});
