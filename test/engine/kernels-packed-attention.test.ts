import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as reference from './kernel-reference.ts';
import { float32, int64, normal, runOp } from './run-op.ts';

// Sequences of several lengths, one after the other: each by itself is what attention without `firsts` computes.

const HEADS = 2;
const SIZE = 20;
const WIDTH = HEADS * SIZE;
const SCALE = Math.fround(0.3);
const LENGTHS = [5, 1, 70, 33];
const TOKENS = LENGTHS.reduce((sum, length) => sum + length);
const LONGEST = Math.max(...LENGTHS);
const FIRSTS = LENGTHS.map((_, i) => LENGTHS.slice(0, i).reduce((sum, length) => sum + length, 0));
const [k, v] = [normal(TOKENS * WIDTH, 2), normal(TOKENS * WIDTH, 3)];

/** Of a padded batch one token longer than its longest sequence. */
const BIASED = LONGEST + 1;

interface Case {
  /** Whether there is a bias, of all sequences the same: [1, heads, queries, keys]. */
  biased?: boolean;
  /** Queries of each sequence in rows of their own; those of all tokens when absent. */
  queries?: number;
  dropout?: reference.Dropout;
}

function queryRows({ queries }: Case): { dims: number[]; rows: number } {
  const dims = queries === undefined ? [1, TOKENS, WIDTH] : [LENGTHS.length, queries, WIDTH];
  return { dims, rows: dims[0]! * dims[1]! };
}

function biasOf({ biased, queries = BIASED }: Case) {
  if (!biased) return undefined;
  return { queries, values: normal(HEADS * queries * BIASED, 5), dims: [1, HEADS, queries, BIASED] };
}

async function run(c: Case, threads?: number) {
  const { dims, rows } = queryRows(c);
  const [q, dContext] = [normal(rows * WIDTH, 1), normal(rows * WIDTH, 4)];
  const kv = [1, TOKENS, WIDTH];
  const firsts = int64([LENGTHS.length, 1], FIRSTS);
  const bias = biasOf(c);
  const last = [firsts, bias && float32(bias.dims, bias.values)];
  const common = [
    ...[float32(dims, q), float32(kv, k), float32(kv, v), undefined],
    c.dropout && int64([2], c.dropout.key),
  ];
  const options = {
    attributes: {
      num_heads: HEADS,
      scale: { float: SCALE },
      ratio: { float: c.dropout?.ratio ?? 0 },
      site: c.dropout?.site ?? 0,
    },
    ...(threads !== undefined && { threads }),
  };
  const forward = await runOp({
    ...{ op: 'Attention', inputs: [...common, ...last], outputs: ['context', 'logSumExp'], ...options },
  });
  const context = float32(dims, forward.context!);
  const logSumExp = float32([dims[0]!, HEADS, dims[1]!], forward.logSumExp!);
  const backward = await runOp({
    op: 'AttentionGrad',
    inputs: [...common, context, logSumExp, float32(dims, dContext), ...last],
    outputs: ['dQ', 'dK', 'dV', ...(bias ? ['dBias'] : [])],
    ...options,
  });
  return { q, dContext, found: { context: forward.context!, ...backward } as Record<string, Float32Array> };
}

/** Compares the part of each sequence with the reference for that sequence alone. */
async function check(c: Case): Promise<void> {
  const { q, dContext, found } = await run(c);
  const bias = biasOf(c);
  for (const [index, length] of LENGTHS.entries()) {
    const first = FIRSTS[index]!;
    const queries = c.queries ?? length;
    const firstQuery = c.queries === undefined ? first : index * queries;
    const element = (_: number, head: number, query: number) =>
      LONGEST *
      (c.queries === undefined ? head * TOKENS + first + query : (index * HEADS + head) * queries + query);
    const part = (values: Float32Array, from: number, rows: number) =>
      values.subarray(from * WIDTH, (from + rows) * WIDTH);
    const expected = reference.attention(
      {
        ...{ batch: 1, heads: HEADS, queries, keys: length, headSize: SIZE, scale: SCALE, element },
        q: part(q, firstQuery, queries),
        k: part(k, first, length),
        v: part(v, first, length),
        ...(c.dropout && { dropout: c.dropout }),
        ...(bias && {
          mask: (_, head, query, key) => bias.values[(head * bias.queries + query) * BIASED + key]!,
        }),
      },
      part(dContext, firstQuery, queries),
    );
    for (const name of ['context', 'dQ', 'dK', 'dV'] as const) {
      const ofQueries = name === 'context' || name === 'dQ';
      const values = part(found[name]!, ofQueries ? firstQuery : first, ofQueries ? queries : length);
      const scale = Math.max(1, ...expected[name].map(Math.abs));
      for (const [i, value] of values.entries()) {
        const error = Math.abs(value - expected[name][i]!) / scale;
        assert.ok(error < 2e-6, `${name} of sequence ${index}, element ${i}: error ${error}`);
      }
    }
    if (!bias) continue;
    // nothing of queries and keys the sequence has not
    const size = HEADS * bias.queries * BIASED;
    for (const [i, value] of found.dBias!.subarray(index * size, (index + 1) * size).entries()) {
      const [query, key] = [Math.floor(i / BIASED) % bias.queries, i % BIASED];
      const head = Math.floor(i / (BIASED * bias.queries));
      const exists = query < queries && key < length;
      const target = exists ? expected.dScores[(head * queries + query) * length + key]! : 0;
      assert.ok(
        Math.abs(value - target) < 2e-6,
        `dBias of sequence ${index}, element ${i}: ${value}, expected ${target}`,
      );
    }
  }
}

const dropout: reference.Dropout = { key: [77, 5], site: 3, ratio: 0.2 };

test('sequences one after the other, and their gradients', async () => {
  await check({});
  await check({ dropout });
});

test('one or several queries of each sequence in rows of their own', async () => {
  for (const queries of [1, 3]) {
    await check({ queries });
    await check({ queries, dropout });
  }
});

test('a bias of queries and keys by their places in the sequence, and its gradient', async () => {
  for (const queries of [undefined, 1, 3]) {
    const c = { biased: true, ...(queries !== undefined && { queries }) };
    await check(c);
    await check({ ...c, dropout });
  }
});

test('results do not depend on the number of threads', async () => {
  const c = { dropout, biased: true };
  const { found } = await run(c, 1);
  for (const threads of [2, 4]) assert.deepEqual((await run(c, threads)).found, found);
});

test('sequences that do not fit are refused', async () => {
  const call = (q: number[], firsts: number[], mask?: number[], bias?: number[]) => {
    const tensor = (dims: number[]) => float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));
    const [kv, key] = [tensor([1, 6, 4]), int64([2], [1, 2])];
    return runOp({
      op: 'Attention',
      inputs: [
        tensor(q),
        kv,
        kv,
        mask && tensor(mask),
        key,
        int64([firsts.length], firsts),
        bias && tensor(bias),
      ],
      outputs: ['context'],
      attributes: { num_heads: 2 },
    });
  };
  await call([1, 6, 4], [0, 4]);
  for (const firsts of [
    [1, 4],
    [0, 0],
    [0, 4, 3],
    [0, 6],
    [0, 9],
    [0, -1],
  ])
    await assert.rejects(call([1, 6, 4], firsts), /firsts must rise from 0 to below 6/);
  await assert.rejects(call([3, 1, 4], [0, 4]), /q must have 2 sequences or the rows of k, found \[3,1,4\]/);
  await assert.rejects(call([1, 6, 4], [0, 4], [1, 1, 1, 6]), /firsts and a mask exclude each other/);
  await call([1, 6, 4], [0, 4], undefined, [1, 2, 4, 4]);
  await assert.rejects(
    call([1, 6, 4], [0, 4], undefined, [1, 2, 3, 3]),
    /bias must have the 4 keys of the longest sequence, found \[1,2,3,3\]/,
  );
  await assert.rejects(
    call([1, 6, 4], [0, 4], undefined, [1, 2, 3, 4]),
    /bias must broadcast to \[2,2,4,4\], found \[1,2,3,4\]/,
  );
});
