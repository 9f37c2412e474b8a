import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32, normal, runOp } from './run-op.ts';

interface Product {
  rows: number;
  columns: number;
  depth: number;
  transA?: boolean;
  transB?: boolean;
}

type Precision = 'fp32' | 'bf16';

/** sesd::Gemm of matrices; both row-major as the flags have them. */
async function gemm(
  { rows, columns, depth, transA = false, transB = false }: Product,
  a: Float32Array,
  b: Float32Array,
  { precision = 'fp32', threads }: { precision?: Precision; threads?: number } = {},
): Promise<Float32Array> {
  const { y } = await runOp({
    op: 'Gemm',
    inputs: [
      float32(transA ? [depth, rows] : [rows, depth], a),
      float32(transB ? [columns, depth] : [depth, columns], b),
    ],
    outputs: ['y'],
    attributes: { transA, transB, precision },
    ...(threads === undefined ? {} : { threads }),
  });
  return y!;
}

/** The nearest number of 8 significant bits, ties to even. */
function toBf16(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7);
  const scaled = x / unit;
  const below = Math.floor(scaled);
  const over = scaled - below;
  const up = over > 0.5 || (over === 0.5 && below % 2 !== 0);
  return Math.fround((below + (up ? 1 : 0)) * unit);
}

/** One row of the product in float64, and the sums of the magnitudes of what is added up. */
function referenceRow(
  { rows, columns, depth, transA = false, transB = false }: Product,
  row: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { value: Float64Array; magnitude: Float64Array } {
  const [value, magnitude] = [new Float64Array(columns), new Float64Array(columns)];
  for (let k = 0; k < depth; k++) {
    const left = a[transA ? k * rows + row : row * depth + k]!;
    for (let j = 0; j < columns; j++) {
      const term = left * b[transB ? j * depth + k : k * columns + j]!;
      value[j]! += term;
      magnitude[j]! += Math.abs(term);
    }
  }
  return { value, magnitude };
}

/** As `normal`; many of them repeat with a period that no axis has. */
function numbers(count: number, seed: number): Float32Array {
  const all = normal(Math.min(count, 99991), seed);
  const result = new Float32Array(count);
  for (let at = 0; at < count; at += all.length) result.set(all.subarray(0, count - at), at);
  return result;
}

const name = ({ rows, columns, depth, transA, transB }: Product) =>
  `[${rows},${depth}]${transA ? 'ᵀ' : ''}·[${depth},${columns}]${transB ? 'ᵀ' : ''}`;

/** Holds every row, or of large products a few, to what `depth` roundings of float32 that go either way sum up to. */
function assertProduct(product: Product, found: Float32Array, a: Float32Array, b: Float32Array) {
  const { rows, columns, depth } = product;
  assert.equal(found.length, rows * columns, name(product));
  const large = rows * columns * depth > 1e7;
  const some = large ? [0, rows >> 1, rows - 1] : Array.from({ length: rows }, (_, row) => row);
  for (const row of some) {
    const { value, magnitude } = referenceRow(product, row, a, b);
    for (const [column, expected] of value.entries()) {
      const is = found[row * columns + column]!;
      if (!(Math.abs(is - expected) <= 1e-6 * Math.sqrt(depth) * magnitude[column]!)) {
        assert.fail(`${name(product)} at ${row}, ${column}: found ${is}, expected ${expected}`);
      }
    }
  }
}

const flags = [
  { transA: false, transB: false },
  { transA: true, transB: false },
  { transA: false, transB: true },
  { transA: true, transB: true },
];

/** Around every edge of tiles, vectors, pairs and blocks. */
function shapes(): Product[] {
  const edges = [1, 2, 3, 5, 6, 7, 8, 15, 16, 17, 31, 33, 47, 48, 49, 64, 65, 97, 128, 130];
  const products: Product[] = [];
  for (let i = 0; i < 100; i++) {
    const pick = (step: number) => edges[(i * step + Math.floor(i / edges.length)) % edges.length]!;
    products.push({ rows: pick(1), columns: pick(7), depth: pick(13), ...flags[i % 4] });
  }
  return [
    ...products,
    { rows: 50, columns: 70, depth: 385 },
    { rows: 13, columns: 200, depth: 769, transB: true },
    { rows: 100, columns: 66, depth: 1601, transA: true },
    { rows: 193, columns: 321, depth: 770 },
    { rows: 300, columns: 520, depth: 97, transB: true },
    { rows: 49, columns: 10950, depth: 770 }, // more columns than are packed at a time
    { rows: 48, columns: 129, depth: 43100, transA: true }, // more depth
  ];
}

for (const precision of ['fp32', 'bf16'] as const) {
  test(`products in ${precision}`, async () => {
    for (const [seed, product] of shapes().entries()) {
      const a = numbers(product.rows * product.depth, seed + 1);
      const b = numbers(product.depth * product.columns, seed + 1001);
      const [left, right] = precision === 'bf16' ? [a.map(toBf16), b.map(toBf16)] : [a, b];
      assertProduct(product, await gemm(product, a, b, { precision }), left, right);
    }
  });
}

test('operands become bfloat16 to nearest even, up to infinity', async () => {
  const exact = 1 + 2 ** -7;
  const halves = [
    1 + 2 ** -8,
    exact + 2 ** -8,
    -(1 + 2 ** -8),
    1 + 2 ** -8 + 2 ** -20,
    3.4e38,
    -3.4e38,
    1e-30,
  ];
  const rounded = [1, 1 + 2 ** -6, -1, exact, Infinity, -Infinity, toBf16(1e-30)];
  for (const transA of [false, true]) {
    const product = { rows: halves.length, columns: 1, depth: 1, transA };
    assert.deepEqual(
      [...(await gemm(product, Float32Array.from(halves), Float32Array.of(1), { precision: 'bf16' }))],
      rounded.map(Math.fround),
    );
  }
});

test('what is not finite comes through, and only where it belongs', async () => {
  for (const precision of ['fp32', 'bf16'] as const) {
    for (const flag of flags) {
      const product = { rows: 61, columns: 67, depth: 35, ...flag };
      const [a, b] = [normal(61 * 35, 1), normal(35 * 67, 2)];
      const at = (row: number, k: number) => (flag.transA ? k * 61 + row : row * 35 + k);
      a[at(3, 34)] = Number.NaN;
      // the lowest bits of a NaN alone, which rounding would turn into infinity
      new Uint32Array(a.buffer)[at(9, 2)] = 0x7f800001;
      a[at(60, 0)] = Number.NEGATIVE_INFINITY;
      const found = await gemm(product, a, b, { precision });
      for (const [i, value] of found.entries()) {
        const row = Math.floor(i / 67);
        if (row === 3 || row === 9) assert.ok(Number.isNaN(value), `row ${row}`);
        else assert.equal(Number.isFinite(value), row !== 60, `row ${row}`);
      }
    }
  }
});

test('leading axes of A are rows', async () => {
  const [a, b] = [normal(2 * 3 * 5, 1), normal(5 * 7, 2)];
  const { y } = await runOp({
    op: 'Gemm',
    inputs: [float32([2, 3, 5], a), float32([5, 7], b)],
    outputs: ['y'],
  });
  assert.deepEqual(y, await gemm({ rows: 6, columns: 7, depth: 5 }, a, b));
});

test('a sum of nothing is 0, and nothing has no elements', async () => {
  assert.deepEqual(
    [...(await gemm({ rows: 2, columns: 3, depth: 0 }, new Float32Array(), new Float32Array()))],
    Array(6).fill(0),
  );
  assert.equal(
    (await gemm({ rows: 0, columns: 3, depth: 4 }, new Float32Array(), new Float32Array(12))).length,
    0,
  );
});

test('products do not depend on the number of threads', async () => {
  for (const precision of ['fp32', 'bf16'] as const) {
    for (const product of [
      { rows: 8, columns: 500, depth: 900 },
      { rows: 300, columns: 700, depth: 900, transA: true },
    ]) {
      const [a, b] = [normal(product.rows * product.depth, 1), normal(product.depth * product.columns, 2)];
      const one = await gemm(product, a, b, { precision, threads: 1 });
      for (const threads of [2, 3]) assert.deepEqual(await gemm(product, a, b, { precision, threads }), one);
    }
  }
});

test('operands that do not fit are refused', async () => {
  const ask = (a: number[], b: number[], attributes = {}) =>
    runOp({
      op: 'Gemm',
      inputs: [a, b].map((dims) => float32(dims, new Float32Array(dims.reduce((x, y) => x * y, 1)))),
      outputs: ['y'],
      attributes,
    });
  await assert.rejects(ask([2, 3], [4, 5]), /sesd::Gemm: B must be \[3,5\], found \[4,5\]/);
  await assert.rejects(ask([3], [3, 5]), /A must be of rank 2 or more, found \[3\]/);
  await assert.rejects(ask([2, 3, 4], [2, 5], { transA: true }), /A must be a matrix, found \[2,3,4\]/);
  await assert.rejects(
    ask([2, 3], [3, 5], { precision: 'fp8' }),
    /precision must be fp32 or bf16, found fp8/,
  );
});
