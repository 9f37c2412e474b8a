// What can only be seen from outside a process: run by native-lifetime.test.ts with the name of a scenario.
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { parentPort, Worker } from 'node:worker_threads';
import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';
import type { NativeArena as Arena, HostTensor } from '../../src/engine/contract.ts';
import { longModel, tinyModel } from './tiny-model.ts';

const addon = loadAddon();
const open = (threads = 2) => addon.open({ library: runtimeLibrary(), threads });

/** Starts a run that takes far longer than any scenario. */
async function startLongRun(): Promise<void> {
  open();
  const session = await addon.createSession(longModel(2000), {});
  const matrix: HostTensor = { dtype: 'float32', dims: [1024, 1024], data: new Float32Array(1024 * 1024) };
  void session.bind({ inputs: [] }).run({ feeds: { x: matrix, w: matrix }, fetch: ['y'] });
  await setTimeout(100);
}

async function shortRun(): Promise<void> {
  open();
  const x = { name: 'x', dtype: 'float32', dims: ['n'] } as const;
  const session = await addon.createSession(
    tinyModel([x], [{ ...x, name: 'y' }], [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }]),
    {},
  );
  const { fetched } = await session.bind({ inputs: [] }).run({
    feeds: { x: { dtype: 'float32', dims: [1], data: Float32Array.of(3) } },
    fetch: ['y'],
  });
  console.log('neg', fetched.y?.data[0]);
}

function startWorker(scenario: string): Promise<Worker> {
  // Worker threads of Node 20 do not inherit --import tsx.
  const [tsx, script] = [import.meta.resolve('tsx/esm/api'), import.meta.url].map((url) =>
    JSON.stringify(url),
  );
  const code = `import(${tsx}).then(({ tsImport }) => tsImport(${script}, ${script}))`;
  const worker = new Worker(code, { eval: true, argv: [scenario] });
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker)).once('error', reject);
  });
}

const scenarios: Record<string, () => Promise<unknown>> = {
  /** process.exit() while a run is under way. */
  async exit() {
    await startLongRun();
    process.exit(0);
  },

  /** An error nobody catches while a run is under way. */
  async throw() {
    await startLongRun();
    throw new Error('on purpose');
  },

  /** Tells its parent that a run is under way. */
  async workerRuns() {
    await startLongRun();
    parentPort?.postMessage('running');
  },

  async workerExits() {
    await startLongRun();
    parentPort?.postMessage('running');
    process.exit(0);
  },

  /** A worker_thread that is terminated during its run; the addon goes on working here and in another. */
  async terminate() {
    const worker = await startWorker('workerRuns');
    await worker.terminate();
    await shortRun();
    const next = await startWorker('workerRuns');
    await shortRun();
    await next.terminate();
    console.log('terminated');
  },

  async exitInWorker() {
    const worker = await startWorker('workerExits');
    await new Promise((resolve) => worker.once('exit', resolve));
    await shortRun();
  },

  /** onnxruntime-node is there first, with an environment that has no threads to share. */
  async second() {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const x = { name: 'x', dtype: 'float32', dims: ['n'] } as const;
    const model = tinyModel([x], [{ ...x, name: 'y' }], [{ op: 'Abs', inputs: ['x'], outputs: ['y'] }]);
    const session = await InferenceSession.create(model);
    const result = await session.run({ x: new Tensor('float32', Float32Array.of(-2), [1]) });
    console.log('abs', result.y?.data[0]);
    await shortRun();
  },

  /** A hash of what the native passes compute, with the threads given. */
  async bits() {
    open(Number(process.argv[3]));
    const n = 300_000;
    const values = (seed: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * seed));
    const arenas = await Promise.all([1, 2, 3, 4, 5].map(() => addon.createArena(n)));
    for (const [i, arena] of arenas.entries()) await arena.write(0, values(i + 1));
    const [weights, gradients, m, v, mean] = arenas as [Arena, Arena, Arena, Arena, Arena];
    await v.fill(0);
    const segments = [{ offset: 0, length: n, learningRate: 1e-3, weightDecay: 0.01 }];
    const rates = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3, maxGradNorm: 1 };
    const norm = await addon.adamw({ weights, gradients, m, v, segments, ...rates });
    await addon.mean(mean, arenas);
    await addon.average(weights, [{ kind: 'blend', into: mean, weight: 0.3 }]);
    console.log(
      norm,
      createHash('sha256')
        .update(await mean.read(0, n))
        .digest('hex'),
    );
  },
};

await scenarios[process.argv[2]!]!();
