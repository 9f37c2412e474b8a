import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { addon, arenaOf, assertClose, n, noise, openAddon, readAll, rounded } from './arenas.ts';

before(openAddon);

test('bfloat16 memory rounds to the nearest, ties to even', async () => {
  const arena = await addon.createBf16Arena(n);
  assert.deepEqual([...(await arena.read(n - 3, 3))], [0, 0, 0]);
  const values = noise(n, 3);
  values.set([0, -0, Infinity, -Infinity, Number.NaN, 3.4e38, 1e-40, 1.00390625, 1.01171875, -2], 5);
  await arena.write(0, values);
  assert.deepEqual(await arena.read(0, n), values.map(rounded));
  const signalling = new Float32Array(Uint32Array.of(0x7f800001).buffer);
  await arena.write(0, signalling);
  assert.ok(Number.isNaN((await arena.read(0, 1))[0]), 'a NaN whose upper half looks like infinity');
});

test('mean sums in float64, and may write over a source', async () => {
  const sources = [1, 2, 3, 4, 5, 6].map((seed) => noise(n, seed));
  const arenas = await Promise.all(sources.map(arenaOf));
  const meanOf = (count: number) =>
    Float32Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (const source of sources.slice(0, count)) sum += source[i]!;
      return sum / count;
    });
  const mean = await addon.createArena(n);
  for (const count of [1, 3, 4, 6]) {
    await addon.mean(mean, arenas.slice(0, count));
    assert.deepEqual(await readAll(mean), meanOf(count));
  }
  await addon.mean(arenas[1]!, arenas);
  assert.deepEqual(await readAll(arenas[1]!), meanOf(6));
});

test('mean takes sources of both kinds', async () => {
  const [a, b, c] = [noise(n, 4), noise(n, 5), noise(n, 6)];
  const half = await addon.createBf16Arena(n);
  await half.write(0, b);
  const mean = await addon.createArena(n);
  await addon.mean(mean, [await arenaOf(a), half, await arenaOf(c)]);
  // Sums of float32 numbers of like size are exact in float64, whatever their order.
  assert.deepEqual(
    await readAll(mean),
    a.map((x, i) => (x + rounded(b[i]!) + c[i]!) / 3),
  );
  await addon.mean(mean, [half]);
  assert.deepEqual(await readAll(mean), b.map(rounded));
});

test('averages are done in one pass, in their order', async () => {
  const [x, a, b] = [noise(n, 4), noise(n, 5), noise(n, 6)];
  const weights = await arenaOf(x);
  const [copy, blend, mean] = [await addon.createArena(n), await arenaOf(a), await addon.createArena(n)];
  const half = await addon.createBf16Arena(n);
  await half.write(0, a);
  const other = await arenaOf(b);
  await addon.average(weights, [
    { kind: 'mean', into: mean, others: [half, other] },
    { kind: 'copy', into: half },
    { kind: 'copy', into: copy },
    { kind: 'blend', into: blend, weight: 0.25 },
  ]);
  assert.deepEqual(
    await readAll(mean),
    x.map((value, i) => (rounded(a[i]!) + b[i]! + value) / 3),
    'the mean is of what the copy then replaced',
  );
  assert.deepEqual(await half.read(0, n), x.map(rounded));
  assert.deepEqual(await readAll(copy), x);
  assertClose(
    await readAll(blend),
    a.map((old, i) => old + 0.25 * (x[i]! - old)),
    1e-6,
    'blend',
  );
});

test('a running mean of 10,000 sets is the float64 mean of them', async () => {
  const length = 200;
  const steps = 10_000;
  const weights = await addon.createArena(length);
  const into = await addon.createArena(length);
  const residual = await addon.createBf16Arena(length);
  const sums = new Float64Array(length);
  const start = noise(length, 1);
  for (let t = 1; t <= steps; t++) {
    // As weights do: less and less movement, below what float32 would add to a mean of so many.
    const x = start.map((value, i) => value * (1 + 0.05 * Math.min(1, (t * (i + 1)) / 20_000)));
    x.forEach((value, i) => {
      sums[i]! += value;
    });
    await weights.write(0, x);
    await addon.average(weights, [{ kind: 'running-mean', into, residual, count: t }]);
  }
  // A step may lose half of the residual's last bit, 2⁻³⁴ of the mean, and a small movement all of it each time.
  const bound = 2 ** -25 + steps * 2 ** -34;
  const found = await readAll(into);
  found.forEach((value, i) => {
    const expected = sums[i]! / steps;
    const error = Math.abs(value - expected) / Math.abs(expected);
    assert.ok(error <= bound, `weight ${i}: ${value}, ${expected}, relative error ${error}`);
  });
});
