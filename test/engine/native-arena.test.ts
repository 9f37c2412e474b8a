import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { AdamWOptions } from '../../src/engine/contract.ts';
import { addon, arenaOf, assertClose, n, noise, openAddon, readAll, rounded } from './arenas.ts';

before(openAddon);

test('an arena starts with zeros and has the length asked for', async () => {
  for (const length of [0, 1, n, 1_200_000]) {
    const arena = await addon.createArena(length);
    assert.equal(arena.length, length);
    assert.ok((await readAll(arena)).every((x) => x === 0));
  }
});

test('write, read, fill and copyFrom move elements', async () => {
  const values = noise(n, 1);
  const arena = await addon.createArena(n + 10);
  await arena.write(7, values);
  assert.deepEqual(await arena.read(7, n), values);
  assert.deepEqual([...(await arena.read(5, 4))], [0, 0, values[0], values[1]]);
  assert.deepEqual(await arena.read(n + 10, 0), new Float32Array(0));
  const copy = await addon.createArena(n + 10);
  await copy.copyFrom(arena);
  assert.deepEqual(await readAll(copy), await readAll(arena));
  await arena.fill(-2.5);
  assert.ok((await readAll(arena)).every((x) => x === -2.5));
  assert.deepEqual(await copy.read(7, n), values);
});

test('bytes of a file are written from wherever they begin', async () => {
  const values = noise(n, 3);
  const arena = await addon.createArena(n);
  for (const start of [0, 1, 2, 3]) {
    const file = new Uint8Array(4 * n + 3);
    file.set(new Uint8Array(values.buffer), start);
    await arena.fill(0);
    await arena.writeBytes(2, file.subarray(start, start + 4 * (n - 2)));
    assert.deepEqual(await arena.read(2, n - 2), values.subarray(0, n - 2));
    assert.deepEqual([...(await arena.read(0, 2))], [0, 0]);
  }
  const refused = (offset: number, bytes: number) => arena.writeBytes(offset, new Uint8Array(bytes));
  await assert.rejects(() => refused(0, 7), {
    message: 'source has 7 bytes, which are no whole float32 elements',
  });
  await assert.rejects(() => refused(n - 1, 8), { message: /are not in an arena of/ });
});

test('an arena over a file is as any other, and leaves nothing in the folder', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sesd-arena-'));
  try {
    const arena = await addon.createArena(n, folder);
    // Windows has no files without a name.
    if (process.platform !== 'win32') assert.deepEqual(readdirSync(folder), []);
    assert.ok((await readAll(arena)).every((x) => x === 0));
    const values = noise(n, 2);
    await arena.write(0, values);
    const mean = await addon.createArena(n);
    await addon.mean(mean, [arena]);
    assert.deepEqual(await readAll(mean), values);
    arena.release();
    await assert.rejects(() => addon.createArena(10, join(folder, 'none')), {
      code: 'SESD_RUNTIME',
      message: /a file of 40 bytes cannot be made in .*none: (No such file or directory|system error \d+)$/,
    });
    await assert.rejects(() => addon.createArena(2 ** 50, folder), { message: /cannot be made in/ });
    while (readdirSync(folder).length > 0) await setTimeout(10); // released on another thread
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('add is element-wise', async () => {
  const a = noise(n, 4);
  const b = noise(n, 5);
  const dst = await arenaOf(a);
  const src = await arenaOf(b);
  await addon.add(dst, src);
  assert.deepEqual(
    await readAll(dst),
    a.map((x, i) => x + b[i]!),
  );
  await dst.write(0, b);
  await addon.add(dst, dst);
  assert.deepEqual(
    await readAll(dst),
    b.map((x) => 2 * x),
  );
});

interface Segment {
  offset: number;
  length: number;
  learningRate: number;
  weightDecay: number;
}

const segments: Segment[] = [
  { offset: 0, length: 70_000, learningRate: 2e-3, weightDecay: 0.1 },
  { offset: 70_000, length: 3, learningRate: 2e-3, weightDecay: 0 },
  // The elements between belong to no segment.
  { offset: 70_010, length: n - 70_010, learningRate: 1e-2, weightDecay: 0.5 },
];

/** DESIGN: p −= lr·wd·p, then p −= lr·m̂/(√v̂ + ε), after clipping. All in float64. */
class ReferenceAdamW {
  readonly p: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;

  constructor(weights: Float32Array) {
    this.p = Float64Array.from(weights);
    this.m = new Float64Array(weights.length);
    this.v = new Float64Array(weights.length);
  }

  update(gradients: Float32Array, step: number, maxGradNorm: number): number {
    let sum = 0;
    for (const { offset, length } of segments) {
      for (let i = offset; i < offset + length; i++) sum += gradients[i]! ** 2;
    }
    const norm = Math.sqrt(sum);
    const scale = norm > maxGradNorm ? maxGradNorm / (norm + 1e-6) : 1;
    for (const { offset, length, learningRate, weightDecay } of segments) {
      for (let i = offset; i < offset + length; i++) {
        const g = gradients[i]! * scale;
        this.m[i] = 0.9 * this.m[i]! + 0.1 * g;
        this.v[i] = 0.999 * this.v[i]! + 0.001 * g * g;
        const mHat = this.m[i]! / (1 - 0.9 ** step);
        const vHat = this.v[i]! / (1 - 0.999 ** step);
        this.p[i] = this.p[i]! - learningRate * weightDecay * this.p[i]!;
        this.p[i] = this.p[i]! - (learningRate * mHat) / (Math.sqrt(vHat) + 1e-8);
      }
    }
    return norm;
  }
}

async function optimizer(weights: Float32Array): Promise<AdamWOptions> {
  return {
    weights: await arenaOf(weights),
    gradients: await addon.createArena(weights.length),
    m: await addon.createArena(weights.length),
    v: await addon.createArena(weights.length),
    segments,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    step: 1,
    maxGradNorm: 1,
  };
}

test('adamw follows the float64 reference, clipped and not', async () => {
  const weights = noise(n, 6);
  const reference = new ReferenceAdamW(weights);
  const options = await optimizer(weights);
  const norms = [Number.POSITIVE_INFINITY, 1, 1e9, 0.01, 1];
  for (const [i, maxGradNorm] of norms.entries()) {
    const gradients = noise(n, 10 + i);
    await options.gradients.write(0, gradients);
    const norm = await addon.adamw({ ...options, step: i + 1, maxGradNorm });
    const expected = reference.update(gradients, i + 1, maxGradNorm);
    assert.ok(Math.abs(norm / expected - 1) < 1e-12, `norm ${norm}, not ${expected}`);
    assertClose(await readAll(options.weights), reference.p, 2e-6, `weights after update ${i + 1}`);
    assertClose(await readAll(options.m), reference.m, 1e-6, `m after update ${i + 1}`);
  }
  assert.deepEqual(await options.weights.read(70_003, 7), weights.subarray(70_003, 70_010));
});

test('a norm that is not finite changes nothing', async () => {
  const weights = noise(n, 7);
  const options = await optimizer(weights);
  for (const [bad, expected] of [
    [Number.NaN, Number.NaN],
    [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ]) {
    await options.gradients.fill(1);
    await options.gradients.write(n - 1, Float32Array.of(bad!));
    assert.equal(await addon.adamw(options), expected);
    assert.deepEqual(await readAll(options.weights), weights);
    assert.ok((await readAll(options.m)).every((x) => x === 0));
    assert.ok((await readAll(options.v)).every((x) => x === 0));
  }
  // Squares that overflow float32 are summed in float64.
  await options.gradients.fill(1e30);
  const norm = await addon.adamw(options);
  const elements = segments.reduce((sum, { length }) => sum + length, 0);
  assert.ok(Math.abs(norm / (Math.fround(1e30) * Math.sqrt(elements)) - 1) < 1e-9);
  assert.notDeepEqual(await readAll(options.weights), weights);
});

test('adamw averages the weights before they change and after', async () => {
  const x = noise(n, 6);
  const options = await optimizer(x);
  const [before, after, mean] = [
    await addon.createArena(n),
    await addon.createBf16Arena(n),
    await arenaOf(noise(n, 7)),
  ];
  const averages = {
    before: [{ kind: 'copy', into: before }],
    after: [
      { kind: 'copy', into: after },
      { kind: 'mean', into: mean, others: [mean] },
    ],
  } as const;
  await options.gradients.write(0, noise(n, 10));
  await addon.adamw({ ...options, ...averages });
  const updated = await readAll(options.weights);
  assert.notDeepEqual(updated, x);
  const inSegments = (i: number) => segments.some(({ offset, length }) => i >= offset && i < offset + length);
  assert.deepEqual(
    await readAll(before),
    x.map((value, i) => (inSegments(i) ? value : 0)),
  );
  assert.deepEqual(
    await after.read(0, n),
    updated.map((value, i) => (inSegments(i) ? rounded(value) : 0)),
  );
  const old = noise(n, 7);
  assert.deepEqual(
    await readAll(mean),
    updated.map((value, i) => (inSegments(i) ? (old[i]! + value) / 2 : old[i]!)),
  );
  const kept = await readAll(before);
  await options.gradients.fill(Number.NaN);
  await addon.adamw({ ...options, ...averages, step: 2 });
  assert.deepEqual(await readAll(before), kept, 'not when the gradients are not finite');
});

test('a gradient outside the segments counts for nothing', async () => {
  const options = await optimizer(noise(n, 8));
  await options.gradients.write(70_003, new Float32Array(7).fill(Number.NaN));
  assert.equal(await addon.adamw(options), 0);
});

test('the same update gives the same bits', async () => {
  const results: Float32Array[] = [];
  for (let i = 0; i < 3; i++) {
    const options = await optimizer(noise(n, 9));
    await options.gradients.write(0, noise(n, 10));
    await addon.adamw(options);
    results.push(await readAll(options.weights));
  }
  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
});

test('what is wrong is rejected by name', async () => {
  const a = await addon.createArena(10);
  const b = await addon.createArena(11);
  const c = await addon.createArena(10);
  const options = await optimizer(new Float32Array(n));
  const segment = segments[0]!;
  const cases: [() => Promise<unknown>, string][] = [
    [() => addon.createArena(-1), 'length must be a non-negative integer, found -1'],
    [() => addon.createArena(1.5), 'length must be a non-negative integer, found 1.5'],
    [() => addon.createArena('10' as never), 'length must be a non-negative integer, found 10'],
    [() => addon.createArena(2 ** 45), `not enough memory for ${2 ** 47} bytes`],
    [() => a.write(8, new Float32Array(3)), 'elements 8 to 11 are not in an arena of 10'],
    [() => a.write(0, new Float64Array(3) as never), 'source must be a Float32Array, found an object'],
    [() => a.read(0, 11), 'elements 0 to 11 are not in an arena of 10'],
    [() => a.copyFrom(b), 'the arena has 10 elements, source has 11'],
    [() => a.copyFrom({} as never), 'source must be a NativeArena of this addon'],
    [() => a.fill('x' as never), 'value must be a number, found x'],
    [() => addon.mean(a, []), 'sources must have at least one arena'],
    [() => addon.mean(a, [a, b]), 'dst has 10 elements, sources[1] has 11'],
    [
      () => addon.average(a, [{ kind: 'blend', into: b, weight: 0.5 }]),
      'weights has 10 elements, averages[0].into has 11',
    ],
    [
      () => addon.average(a, [{ kind: 'copy', into: a }]),
      'averages[0].into must be another arena than the weights',
    ],
    [
      () => addon.average(a, [{ kind: 'blend', into: c, weight: Number.NaN }]),
      'averages[0].weight must be finite',
    ],
    [
      () => addon.average(a, [{ kind: 'median' as never, into: c, others: [] }]),
      'averages[0].kind must be copy, blend, running-mean or mean, found median',
    ],
    [
      () => addon.average(a, [{ kind: 'mean', into: c, others: [c, b] }]),
      'weights has 10 elements, averages[0].others[1] has 11',
    ],
    [
      () => addon.average(a, [{ kind: 'running-mean', into: c, residual: c as never, count: 1 }]),
      'averages[0].residual must be a NativeBf16Arena of this addon',
    ],
    [() => addon.add(a, b), 'dst has 10 elements, src has 11'],
    [() => addon.add(a, undefined as never), 'src must be a NativeArena of this addon'],
    [() => addon.adamw({ ...options, m: a }), `weights has ${n} elements, m has 10`],
    [
      () => addon.adamw({ ...options, m: options.v }),
      'weights, gradients, m and v must be four different arenas',
    ],
    [() => addon.adamw({ ...options, step: 0 }), 'step must be at least 1: it is counted from there'],
    [() => addon.adamw({ ...options, beta1: 1 }), 'beta1 must be at least 0 and less than 1, found 1.000000'],
    [
      () => addon.adamw({ ...options, maxGradNorm: 0 }),
      'maxGradNorm must be more than 0; Infinity for no clipping',
    ],
    [
      () => addon.adamw({ ...options, segments: [segment, { ...segment, offset: 69_999 }] }),
      'segments[1] begins at 69999, before the end of the one in front of it: 70000',
    ],
    [
      () => addon.adamw({ ...options, segments: [{ ...segment, length: n + 1 }] }),
      `segments[0] ends beyond the arenas' ${n} elements`,
    ],
    [
      () => addon.adamw({ ...options, segments: [{ ...segment, learningRate: Number.NaN }] }),
      'segments[0].learningRate must be finite',
    ],
  ];
  for (const [call, message] of cases) await assert.rejects(call, { code: 'SESD_RUNTIME', message });
});
