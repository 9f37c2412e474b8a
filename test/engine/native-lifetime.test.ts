import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';
import type { HostTensor, NativeBinding } from '../../src/engine/contract.ts';
import { longModel } from './tiny-model.ts';

const addon = loadAddon();

before(() => {
  addon.open({ library: runtimeLibrary(), threads: 2 });
});

function square(n: number): HostTensor {
  return { dtype: 'float32', dims: [n, n], data: new Float32Array(n * n) };
}

async function longBinding(products: number): Promise<NativeBinding> {
  const session = await addon.createSession(longModel(products), {});
  return session.bind({ inputs: [] });
}

const long = () => ({ feeds: { x: square(512), w: square(512) }, fetch: ['y'] });

test('a run is cancelled, and the binding can be used again', async () => {
  const binding = await longBinding(5000);
  binding.cancel(); // idle: no effect
  const run = binding.run(long());
  setTimeout(() => binding.cancel(), 50);
  await assert.rejects(run, { code: 'SESD_ABORTED', message: 'the run was cancelled' });
  const atOnce = binding.run(long());
  binding.cancel();
  await assert.rejects(atOnce, { code: 'SESD_ABORTED' });
  const { fetched } = await binding.run({ feeds: { x: square(2), w: square(2) }, fetch: ['y'] });
  assert.deepEqual(fetched.y, square(2));
});

test('a second run while one is under way is rejected', async () => {
  const binding = await longBinding(5000);
  const first = binding.run(long());
  await assert.rejects(binding.run(long()), {
    code: 'SESD_RUNTIME',
    message: 'a run of this binding is under way',
  });
  binding.cancel();
  await assert.rejects(first, { code: 'SESD_ABORTED' });
});

test('the event loop turns during a run', async () => {
  const binding = await longBinding(5000);
  const run = binding.run(long());
  let turns = 0;
  const interval = setInterval(() => {
    if (++turns === 20) binding.cancel();
  }, 1);
  // Had the loop stood still, the run would have ended first and resolved.
  await assert.rejects(run, { code: 'SESD_ABORTED' });
  clearInterval(interval);
  assert.equal(turns >= 20, true);
});

test('what is released says so when it is used again, and runs under way keep what they need', async () => {
  const session = await addon.createSession(longModel(20), {});
  const arena = await addon.createArena(64 * 64);
  const binding = session.bind({ inputs: [{ name: 'w', arena, offset: 0, dims: [64, 64] }] });
  const pending = binding.run({ feeds: { x: square(64) }, fetch: ['y'], keep: ['y'] });
  const reading = arena.read(0, arena.length);
  binding.release();
  session.release();
  arena.release();
  const { fetched, stash } = await pending;
  assert.deepEqual(fetched.y, square(64));
  assert.deepEqual(await reading, new Float32Array(64 * 64));

  const gone = (what: string) => ({ code: 'SESD_RUNTIME', message: `the ${what} has been released` });
  assert.equal(arena.length, 0);
  await assert.rejects(arena.read(0, 0), gone('arena'));
  await assert.rejects(arena.write(0, new Float32Array(1)), gone('arena'));
  await assert.rejects(arena.fill(0), gone('arena'));
  const other = await addon.createArena(1);
  await assert.rejects(other.copyFrom(arena), gone('arena'));
  await assert.rejects(addon.mean(other, [arena]), gone('arena'));
  await assert.rejects(binding.run(long()), gone('binding'));
  assert.throws(() => session.bind({ inputs: [] }), gone('session'));
  assert.throws(() => session.inputs, gone('session'));
  assert.throws(() => session.endProfiling(), gone('session'));
  assert.ok(stash);
  // Releasing twice, or cancelling what is gone, does nothing.
  for (const object of [stash, stash, binding, session, arena]) object.release();
  binding.cancel();
});

test('objects cannot be made or misused from JavaScript', async () => {
  const arena = await addon.createArena(1);
  const session = await addon.createSession(longModel(1), {});
  const Arena = arena.constructor as new () => unknown;
  assert.throws(() => new Arena(), { name: 'TypeError', message: 'NativeArena cannot be constructed' });
  assert.throws(
    () => session.bind({ inputs: [{ name: 'w', arena: session as never, offset: 0, dims: [] }] }),
    {
      message: 'inputs[0].arena must be a NativeArena of this addon',
    },
  );
  assert.throws(() => arena.release.call(session as never), TypeError);
  const fake = Object.create(Object.getPrototypeOf(arena));
  await assert.rejects(addon.add(arena, fake), { message: 'src must be a NativeArena of this addon' });
});

interface Ended {
  code: number | string | null;
  stdout: string;
  stderr: string;
}

/** Runs a scenario of native-process.ts; one that hangs is killed and ends with code null. */
function inProcess(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const script = fileURLToPath(new URL('./native-process.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', script, ...args],
      { timeout: 60_000, env: { ...process.env, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}

test('process.exit() during a run ends the process at once and cleanly', async () => {
  assert.deepEqual(await inProcess(['exit']), { code: 0, stdout: '', stderr: '' });
});

test('an uncaught error during a run ends the process as it always does', async () => {
  const { code, stderr } = await inProcess(['throw']);
  assert.equal(code, 1);
  assert.match(stderr, /on purpose/);
});

test('a worker_thread may be terminated during a run', async () => {
  assert.deepEqual(await inProcess(['terminate']), {
    code: 0,
    stdout: 'neg -3\nneg -3\nterminated\n',
    stderr: '',
  });
});

test('a worker_thread may exit during a run', async () => {
  assert.deepEqual(await inProcess(['exitInWorker']), { code: 0, stdout: 'neg -3\n', stderr: '' });
});

test('onnxruntime-node may have been loaded before', async () => {
  assert.deepEqual(await inProcess(['second']), { code: 0, stdout: 'abs 2\nneg -3\n', stderr: '' });
});

test('native passes give the same bits with any number of threads', async () => {
  const [one, three] = await Promise.all([inProcess(['bits', '1']), inProcess(['bits', '3'])]);
  assert.equal(one.code, 0);
  assert.deepEqual(three, one);
});

test('a lower instruction set can be forced, an impossible one is refused', async () => {
  const forced = await inProcess(['bits', '2'], { SESD_SIMD: 'portable' });
  assert.equal(forced.code, 0);
  // The norm is summed in lanes of a fixed number, so it is the same; the rest may differ by a rounding.
  const best = await inProcess(['bits', '2']);
  assert.equal(forced.stdout.split(' ')[0], best.stdout.split(' ')[0]);
  const impossible = await inProcess(['bits', '2'], { SESD_SIMD: 'sse9' });
  assert.equal(impossible.code, 1);
  assert.match(impossible.stderr, /SESD_SIMD=sse9 cannot run here/);
});
