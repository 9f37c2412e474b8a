import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';
import type { HostArray, HostDtype, HostTensor, NativeArena } from '../../src/engine/contract.ts';
import { type Port, tinyModel } from './tiny-model.ts';

const addon = loadAddon();

before(() => {
  addon.open({ library: runtimeLibrary(), threads: 2 });
});

const port = (name: string, dims: Port['dims'], dtype: Port['dtype'] = 'float32'): Port => ({
  name,
  dims,
  dtype,
});

function float32(dims: number[], values: number[]): HostTensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

async function arenaOf(values: number[]): Promise<NativeArena> {
  const arena = await addon.createArena(values.length);
  await arena.write(0, Float32Array.from(values));
  return arena;
}

/** h = x·w, y = h + b, with open rows. */
const linear = tinyModel(
  [port('x', ['rows', 2]), port('w', [2, 3]), port('b', [3])],
  [port('h', ['rows', 3]), port('y', ['rows', 3])],
  [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
    { op: 'Add', inputs: ['h', 'b'], outputs: ['y'] },
  ],
);

async function boundLinear() {
  const session = await addon.createSession(linear, {});
  const weights = await arenaOf([99, 1, 2, 3, 4, 5, 6, 99, 10, 20, 30]);
  const binding = session.bind({
    inputs: [
      { name: 'w', arena: weights, offset: 1, dims: [2, 3] },
      { name: 'b', arena: weights, offset: 8, dims: [3] },
    ],
  });
  return { session, weights, binding };
}

test('open tells what was loaded, and again the same', () => {
  const info = addon.open({ library: '/nowhere', threads: 7 });
  assert.match(info.version, /^1\.\d+\.\d+/);
  assert.ok(info.providers.includes('CPUExecutionProvider'));
  assert.equal(info.threads, 2);
  assert.ok(['portable', 'avx2', 'avx512', 'avx512_bf16', 'neon'].includes(info.simd));
});

test('a session names its inputs and outputs', async () => {
  const { session } = await boundLinear();
  assert.deepEqual(session.inputs, ['x', 'w', 'b']);
  assert.deepEqual(session.outputs, ['h', 'y']);
});

test('weights lie in the arena: a run uses what is there now', async () => {
  const { binding, weights } = await boundLinear();
  const feeds = { x: float32([2, 2], [1, 0, 1, 1]) };
  const first = await binding.run({ feeds, fetch: ['y', 'h'] });
  assert.deepEqual(first.fetched.y, float32([2, 3], [11, 22, 33, 15, 27, 39]));
  assert.deepEqual(first.fetched.h, float32([2, 3], [1, 2, 3, 5, 7, 9]));
  assert.equal(first.stash, undefined);
  await weights.write(8, new Float32Array(3));
  const second = await binding.run({ feeds, fetch: ['y'] });
  assert.deepEqual(second.fetched, { y: float32([2, 3], [1, 2, 3, 5, 7, 9]) });
});

test('the number of rows may differ from run to run, down to none', async () => {
  const { binding } = await boundLinear();
  for (const rows of [1, 5, 2, 0]) {
    const { fetched } = await binding.run({
      feeds: { x: float32([rows, 2], Array(2 * rows).fill(0)) },
      fetch: ['y'],
    });
    assert.deepEqual(fetched.y?.dims, [rows, 3]);
    assert.deepEqual([...(fetched.y?.data ?? [])], Array(rows).fill([10, 20, 30]).flat());
  }
});

test('outputs bound to an arena are written there', async () => {
  const session = await addon.createSession(linear, {});
  const weights = await arenaOf([1, 2, 3, 4, 5, 6, 10, 20, 30]);
  const result = await addon.createArena(8);
  const binding = session.bind({
    inputs: [
      { name: 'w', arena: weights, offset: 0, dims: [2, 3] },
      { name: 'b', arena: weights, offset: 6, dims: [3] },
    ],
    outputs: [{ name: 'y', arena: result, offset: 1, dims: [2, 3] }],
  });
  const { fetched } = await binding.run({ feeds: { x: float32([2, 2], [1, 0, 0, 1]) }, fetch: ['h'] });
  assert.deepEqual([...(await result.read(0, 8))], [0, 11, 22, 33, 14, 25, 36, 0]);
  assert.deepEqual([...(fetched.h?.data ?? [])], [1, 2, 3, 4, 5, 6]);
  await assert.rejects(binding.run({ feeds: { x: float32([2, 2], [1, 0, 0, 1]) }, fetch: ['y'] }), {
    code: 'SESD_RUNTIME',
    message: "output 'y' is bound to an arena: read it there",
  });
});

test('what one run keeps feeds another session, and outlives the first', async () => {
  const { session, binding, weights } = await boundLinear();
  const { stash, fetched } = await binding.run({
    feeds: { x: float32([1, 2], [1, 2]) },
    fetch: ['y'],
    keep: ['h', 'y'],
  });
  assert.ok(stash);
  assert.equal(stash.bytes, 24);
  binding.release();
  session.release();
  weights.release();
  const sum = await addon.createSession(
    tinyModel(
      [port('h', ['r', 3]), port('y', ['r', 3]), port('c', [1])],
      [port('s', ['r', 3])],
      [
        { op: 'Add', inputs: ['h', 'y'], outputs: ['t'] },
        { op: 'Add', inputs: ['t', 'c'], outputs: ['s'] },
      ],
    ),
    {},
  );
  const next = sum.bind({ inputs: [] });
  const c = float32([1], [100]);
  for (let i = 0; i < 2; i++) {
    const run = await next.run({ feeds: { c }, stash, fetch: ['s'] });
    assert.deepEqual([...(run.fetched.s?.data ?? [])], [9 + 19 + 100, 12 + 32 + 100, 15 + 45 + 100]);
  }
  // What is fed goes before what was kept.
  const h = float32([1, 3], [0, 0, 0]);
  const mixed = await next.run({ feeds: { c, h }, stash, fetch: ['s'] });
  assert.deepEqual([...(mixed.fetched.s?.data ?? [])], [119, 132, 145]);
  assert.deepEqual([...(fetched.y?.data ?? [])], [19, 32, 45]);
  stash.release();
  assert.equal(stash.bytes, 0);
  await assert.rejects(next.run({ feeds: { c }, stash, fetch: ['s'] }), {
    message: 'the stash has been released',
  });
});

test('all element types go in and come out', async () => {
  const values: [HostDtype, HostArray][] = [
    ['float32', Float32Array.of(1.5, Number.NaN, -0)],
    ['int64', BigInt64Array.of(2n ** 62n, -1n, 0n)],
    ['int32', Int32Array.of(-(2 ** 31), 1, 0)],
    ['bool', Uint8Array.of(1, 0, 1)],
    ['uint8', Uint8Array.of(255, 0, 7)],
  ];
  for (const [dtype, data] of values) {
    const model = tinyModel(
      [port('x', ['n'], dtype)],
      [port('y', ['n'], dtype)],
      [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    );
    const binding = (await addon.createSession(model, { threads: 1 })).bind({ inputs: [] });
    const tensor = { dtype, dims: [3], data };
    const { fetched } = await binding.run({ feeds: { x: tensor }, fetch: ['y'] });
    assert.deepEqual(fetched.y, tensor);
  }
});

test('a typed array that is part of a buffer is taken as it is', async () => {
  const { binding } = await boundLinear();
  const data = Float32Array.of(9, 9, 1, 1, 9).subarray(2, 4);
  const { fetched } = await binding.run({
    feeds: { x: { dtype: 'float32', dims: [1, 2], data } },
    fetch: ['h'],
  });
  assert.deepEqual([...(fetched.h?.data ?? [])], [5, 7, 9]);
});

test('what does not fit the model is rejected by name', async () => {
  const { binding } = await boundLinear();
  const x = float32([1, 2], [1, 2]);
  const cases: [object, string][] = [
    [{ feeds: {}, fetch: ['y'] }, "input 'x' has no value: it is neither bound, nor fed, nor in a stash"],
    [{ feeds: { x, z: x }, fetch: ['y'] }, "the model has no input 'z'"],
    [{ feeds: { x, w: x }, fetch: ['y'] }, "input 'w' is bound to an arena and cannot be fed too"],
    [{ feeds: { x }, fetch: ['q'] }, "the model has no output 'q'"],
    [{ feeds: { x }, fetch: ['y'], keep: ['q'] }, "the model has no output 'q'"],
    [
      { feeds: { x: float32([1, 3], [1, 2, 3]) }, fetch: ['y'] },
      "input 'x' is float32[?, 2] in the model, given float32[1, 3]",
    ],
    [
      { feeds: { x: { dtype: 'int64', dims: [1, 2], data: BigInt64Array.of(1n, 2n) } }, fetch: ['y'] },
      "input 'x' is float32[?, 2] in the model, given int64[1, 2]",
    ],
    [
      { feeds: { x: float32([2, 2], [1, 2]) }, fetch: ['y'] },
      "feed 'x' with dims [2, 2] needs 4 elements, found 2",
    ],
    [
      { feeds: { x: { dtype: 'float32', dims: [1, 2], data: [1, 2] } }, fetch: ['y'] },
      "feed 'x'.data must be a Float32Array, as its dtype is float32, found an object",
    ],
    [
      { feeds: { x: { dtype: 'float16', dims: [1, 2], data: new Uint16Array(2) } }, fetch: ['y'] },
      "feed 'x'.dtype must be float32, int64, int32, bool or uint8, found float16",
    ],
    [
      { feeds: { x: float32([1, -2], []) }, fetch: ['y'] },
      "feed 'x'.dims[1] must be a non-negative integer, found -2",
    ],
    [
      { feeds: { x: float32([2 ** 40, 2 ** 40], []) }, fetch: ['y'] },
      "feed 'x' with dims [1099511627776, 1099511627776] is too large",
    ],
    [{ feeds: { x } }, 'fetch must be an array, found undefined'],
    [{ feeds: { x }, fetch: ['y'], stash: {} }, 'stash must be a NativeStash of this addon'],
  ];
  for (const [request, message] of cases) {
    await assert.rejects(binding.run(request as never), { code: 'SESD_RUNTIME', message });
  }
  // None of them left the binding unusable.
  assert.ok((await binding.run({ feeds: { x }, fetch: ['y'] })).fetched.y);
});

test('slices that do not fit arena or model are refused by name', async () => {
  const { session, weights } = await boundLinear();
  const w = { name: 'w', arena: weights, offset: 0, dims: [2, 3] };
  const cases: [Parameters<typeof session.bind>[0], string][] = [
    [{ inputs: [{ ...w, name: 'v' }] }, "the model has no input 'v'"],
    [{ inputs: [{ ...w, dims: [3, 2] }] }, "input 'w' is float32[2, 3] in the model, given float32[3, 2]"],
    [{ inputs: [{ ...w, offset: 6 }] }, "input 'w' needs elements 6 to 12 of an arena that has 11"],
    [{ inputs: [{ ...w, offset: 0.5 }] }, 'inputs[0].offset must be a non-negative integer, found 0.5'],
    [{ inputs: [w, w] }, "input 'w' is bound twice"],
    [{ inputs: [w], outputs: [{ ...w, name: 'y', offset: 5 }] }, "output 'y' overlaps input 'w' in an arena"],
  ];
  for (const [slices, message] of cases) {
    assert.throws(() => session.bind(slices), { code: 'SESD_RUNTIME', message });
  }
});

test("a model that fails carries ONNX Runtime's message", async () => {
  await assert.rejects(addon.createSession(new Uint8Array(100), {}), {
    code: 'SESD_RUNTIME',
    message: /protobuf/,
  });
  await assert.rejects(
    addon.createSession(
      tinyModel([port('x', [1])], [port('y', [1])], [{ op: 'NoSuchOp', inputs: ['x'], outputs: ['y'] }]),
      {},
    ),
    { code: 'SESD_RUNTIME', message: /NoSuchOp/ },
  );
  const gather = tinyModel(
    [port('t', [2]), port('i', ['n'], 'int64')],
    [port('y', ['n'])],
    [{ op: 'Gather', inputs: ['t', 'i'], outputs: ['y'] }],
  );
  const binding = (await addon.createSession(gather, {})).bind({ inputs: [] });
  const i: HostTensor = { dtype: 'int64', dims: [1], data: BigInt64Array.of(5n) };
  await assert.rejects(binding.run({ feeds: { t: float32([2], [1, 2]), i }, fetch: ['y'] }), {
    code: 'SESD_RUNTIME',
    message: /Gather_0.*idx=5 must be within/s,
  });
});

test('a profile is recorded where it was asked for', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sesd-'));
  after(() => rmSync(folder, { recursive: true }));
  const session = await addon.createSession(linear, { profile: path.join(folder, 'profile') });
  const file = session.endProfiling();
  assert.ok(file.startsWith(path.join(folder, 'profile')) && existsSync(file));
  assert.throws(() => session.endProfiling(), { message: 'the session records no profile' });
});
