import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createStore, slices } from '../../src/engine/backends/arena-weights.ts';
import { feedBatch } from '../../src/engine/backends/feeds.ts';
import { loadAddon } from '../../src/engine/backends/load-addon.ts';
import { createEngine } from '../../src/engine/backends/onnx-runtime.ts';
import { createTrainingEngine } from '../../src/engine/backends/ort-training.ts';
import { trainingCheckpoint } from '../../src/engine/backends/ort-training-checkpoint.ts';
import { optimizerModel, splitModels } from '../../src/engine/backends/ort-training-models.ts';
import type { Averaging, Engine, UpdateOptions } from '../../src/engine/engine.ts';
import {
  collectGradients,
  crossEntropyGradients,
  type ProbedEngine,
  prepareTiny,
  relativeError,
  tinyBatch,
  torchGradients,
} from '../bert/tiny-bert.ts';
import { sesdTrain } from '../cli/sesd-train.ts';
import { closing, collect, flagsOfSession, ratesOfSession, testResumption } from './training-engines.ts';
import { findTrainingLibrary } from './training-library.ts';

const search = findTrainingLibrary();
const library = search.library ?? '';

const update = (step: number, options: Partial<UpdateOptions> = {}): UpdateOptions => ({
  ...{ step, learningRate: 1e-3, headLearningRate: 5e-3, weightDecay: 0.1, maxGradNorm: 0.5 },
  ...options,
});

/** A forward and backward pass that depends on `n`. */
async function gather(engine: Engine, n: number): Promise<Float32Array> {
  const { data } = await engine.forward(tinyBatch(), { dropoutKey: [n, 7] });
  await engine.backward(data.map((value, index) => value + Math.sin(index + n)));
  return data;
}

describe('a session of the training API', { skip: search.missing ?? false }, () => {
  /** This backend and the default one in the same library, on the same model. */
  async function twins(options: Parameters<typeof prepareTiny>[0] = {}) {
    const runtime = { threads: 2, library };
    const { plan } = await prepareTiny(options);
    return [await createTrainingEngine(plan, runtime), await createEngine(plan, runtime)] as const;
  }

  for (const fuse of [true, false]) {
    test(`${fuse ? 'fused' : 'stock ops'}: logits, loss and gradients equal PyTorch's`, async (t) => {
      const [engine] = closing(t, await twins({ fuse }));
      const actual = await crossEntropyGradients(engine);
      const expected = torchGradients();
      assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
      const largest = Math.max(...[...expected.values()].map((values) => Math.max(...values.map(Math.abs))));
      for (const [name, values] of expected) {
        // The key bias has no gradient but rounding: softmax does not see a constant added to its row.
        if (Math.max(...values.map(Math.abs)) < 1e-7 * largest) continue;
        assert.ok(relativeError(actual.get(name)!, values) < 1e-4, name);
      }
    });
  }

  test('steps equal those of the default backend bit by bit: dropout, gathered batches, clipping, averages, frozen weights', async (t) => {
    const engines = closing(t, await twins({ dropout: 0.2, freeze: 'embeddings' }));
    const outcomes = await Promise.all(
      engines.map(async (engine) => {
        const copy = await engine.createWeights();
        const average = await engine.createWeights();
        const norms: number[] = [];
        for (let step = 1; step <= 3; step++) {
          for (let micro = 0; micro < step; micro++) await gather(engine, 10 * step + micro);
          const before: Averaging[] = [{ kind: 'copy', into: copy }];
          const after: Averaging[] = [{ kind: 'blend', into: average, weight: 0.25 }];
          norms.push((await engine.update(update(step, { before, after }))).gradNorm);
        }
        const logits = await gather(engine, 99);
        const inferred = [engine.student, copy, average].map((weights) =>
          engine.infer(weights, tinyBatch()).then(({ data }) => data),
        );
        return {
          norms,
          logits,
          inferred: [await inferred[0], await inferred[1], await inferred[2]],
          gradients: await collectGradients(engine as ProbedEngine),
          student: await collect(engine.student.read()),
          m: await collect(engine.readMoments('m')),
          v: await collect(engine.readMoments('v')),
        };
      }),
    );
    assert.deepEqual(outcomes[0], outcomes[1]);
    assert.ok(outcomes[0]!.norms.every((norm) => norm > 0.5));
  });

  test('weights written to the student are those of the next step, and a state goes over to another engine', async (t) => {
    const [engine, other]: readonly Engine[] = closing(t, await twins());
    const start = await engine.createWeights();
    const first = await gather(engine, 1);
    await engine.update(update(1));
    const second = await gather(engine, 1);
    assert.notDeepEqual(second, first);
    await engine.student.copyFrom(start);
    assert.deepEqual(await gather(engine, 1), first);

    await engine.update(update(2));
    await other.student.write(engine.student.read());
    for (const which of ['m', 'v'] as const) await other.writeMoments(which, engine.readMoments(which), 2);
    for (const each of [engine, other]) {
      await gather(each, 5);
      await each.update(update(3));
    }
    assert.deepEqual(await collect(engine.student.read()), await collect(other.student.read()));
  });

  test('what does not fit the session is refused by name', async (t) => {
    closing(t, await twins()); // opens the runtime
    const addon = loadAddon();
    const { plan } = await prepareTiny();
    const models = {
      ...splitModels(plan, { gradients: true, norm: false }),
      optimizer: optimizerModel(undefined),
      checkpoint: trainingCheckpoint(plan),
    };
    for (const part of ['checkpoint', 'train', 'eval', 'optimizer'] as const) {
      const broken = { ...models, [part]: new Uint8Array(100).fill(7) };
      await assert.rejects(addon.createTrainingSession(broken, {}), { code: 'SESD_RUNTIME' });
    }
    const onCpu = addon.createTrainingSession(models, { deviceOnly: true });
    await assert.rejects(onCpu, /assigned to the default CPU EP/);
    const session = await addon.createTrainingSession(models, {});
    const names = plan.parameters.map(({ name }) => name);
    const all = slices(names, await createStore(addon, plan.parameters, plan.initial));
    const feeds = feedBatch(plan, tinyBatch());
    await assert.rejects(session.evalStep({ feeds, fetch: [] }), /load the model parameters first/);
    await assert.rejects(session.initialize(all.slice(1)), /Parameters buffer size incorrect/);
    await session.initialize(all);
    await assert.rejects(session.write([{ ...all[0]!, name: 'nobody' }]), /nobody not found/);
    await assert.rejects(session.write([{ ...all[0]!, dims: [3] }]), /shape mismatch/);
    await assert.rejects(session.read([{ ...all[0]!, dims: [3] }]), /is not of the size that is read/);
    await assert.rejects(session.read([{ ...all[0]!, offset: 1e9 }]), /needs elements 1000000000 to/);
    await assert.rejects(session.evalStep({ feeds: {}, fetch: [] }), /input '.*' has no value/);
    await assert.rejects(session.evalStep({ feeds, fetch: ['nothing'] }), /no output 'nothing'/);
    session.release();
    await assert.rejects(session.resetGradients(), /the training session has been released/);
  });

  test('a gradient that is not finite changes nothing', async (t) => {
    const [engine] = closing(t, await twins());
    await engine.forward(tinyBatch(), { dropoutKey: [0, 0] });
    const before = await collect(engine.student.read());
    await engine.backward(new Float32Array(12).fill(Number.NaN));
    const { gradNorm } = await engine.update(update(1));
    assert.ok(Number.isNaN(gradNorm));
    assert.deepEqual(await collect(engine.student.read()), before);
  });

  test('a signal ends a step', async (t) => {
    const [engine] = closing(t, await twins());
    const aborted = { code: 'SESD_ABORTED' };
    await assert.rejects(
      engine.forward(tinyBatch(), { dropoutKey: [0, 0], signal: AbortSignal.abort() }),
      aborted,
    );
    const looks = [false, true]; // it fires while the step is made
    const signal = {
      get aborted() {
        return looks.shift();
      },
    } as AbortSignal;
    await assert.rejects(engine.forward(tinyBatch(), { dropoutKey: [0, 0], signal }), aborted);
    assert.deepEqual(looks, []);
    await gather(engine, 1);
  });

  test('the event loop turns while the session works', async (t) => {
    const [engine] = closing(t, await twins());
    await gather(engine, 1); // makes the session
    let turns = 0;
    let done = false;
    const turn = () => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    for (let n = 0; n < 20; n++) await gather(engine, n);
    done = true;
    assert.ok(turns > 200, `${turns} turns in 20 steps`);
  });

  describe("with ONNX Runtime's optimizer", () => {
    const rates = ratesOfSession;
    const trainer = async () =>
      createTrainingEngine((await prepareTiny()).plan, { threads: 2, library, rates });

    test('it is used only where all parameters are treated alike', async (t) => {
      const { plan } = await prepareTiny();
      for (const others of [{ headLearningRate: 2e-3 }, { weightDecay: 0.01 }, { maxGradNorm: 1 }]) {
        const own = await createTrainingEngine(plan, { threads: 2, library, rates: { ...rates, ...others } });
        assert.equal(own.group, undefined);
        closing(t, [own]);
      }
      const scaled = plan.parameters.map((each) => ({ ...each, learningRateScale: 0.5 }));
      const slower = await createTrainingEngine(
        { ...plan, parameters: [plan.parameters[0]!, ...scaled.slice(1)] },
        { threads: 2, library, rates },
      );
      assert.equal(slower.group, undefined);
      const [theirs] = closing(t, [await trainer(), slower]);
      assert.deepEqual(theirs.group, { weightDecay: 0 });
    });

    test("weights, moments, norms and averages are those of the package's own AdamW", async (t) => {
      const engines = closing(t, [await trainer(), (await twins())[1]] as const);
      const [theirs, ours] = await Promise.all(
        engines.map(async (engine) => {
          const before = await engine.createWeights();
          const average = await engine.createWeights();
          const norms: number[] = [];
          for (let step = 1; step <= 4; step++) {
            for (let micro = 0; micro < 2; micro++) await gather(engine, step + 10 * micro);
            const { gradNorm } = await engine.update({
              ...{ ...rates, step, before: [{ kind: 'copy', into: before }] },
              after: [{ kind: 'blend', into: average, weight: 0.25 }],
            });
            norms.push(gradNorm);
          }
          const sets = [engine.student, before, average].map((weights) => weights.read());
          return {
            norms,
            sets: await Promise.all([...sets, engine.readMoments('m'), engine.readMoments('v')].map(collect)),
          };
        }),
      );
      assert.ok(relativeError(theirs!.norms, ours!.norms) < 1e-5);
      theirs!.sets.forEach((set, index) => {
        for (const [name, values] of Object.entries(set)) {
          // Where the gradient is rounding (key biases), AdamW makes full steps of its sign.
          if (/key\.bias/.test(name)) continue;
          const error = relativeError(values, ours!.sets[index]![name]!);
          assert.ok(error < 1e-4, `set ${index}, ${name}: ${error}`);
        }
      });
    });

    test('a state goes over to another engine, which goes on bit by bit', async (t) => {
      const [engine, other] = closing(t, [await trainer(), await trainer()] as const);
      for (let step = 1; step <= 2; step++) {
        await gather(engine, step);
        await engine.update({ ...rates, step });
      }
      await gather(other, 77); // it has a session already, which is to be forgotten
      await other.student.write(engine.student.read());
      for (const which of ['m', 'v'] as const) await other.writeMoments(which, engine.readMoments(which), 2);
      for (const each of [engine, other]) {
        await gather(each, 3);
        await each.update({ ...rates, step: 3 });
      }
      assert.deepEqual(await collect(other.student.read()), await collect(engine.student.read()));
      assert.deepEqual(await collect(other.readMoments('v')), await collect(engine.readMoments('v')));
    });

    test('a gradient that is not finite changes nothing', async (t) => {
      const [engine] = closing(t, [await trainer()]);
      await engine.forward(tinyBatch(), { dropoutKey: [0, 0] });
      const before = await collect(engine.student.read());
      await engine.backward(new Float32Array(12).fill(Number.POSITIVE_INFINITY));
      assert.ok(!Number.isFinite((await engine.update({ ...rates, step: 1 })).gradNorm));
      assert.deepEqual(await collect(engine.student.read()), before);
    });
  });

  testResumption(library, {
    "the package's optimizer": { flags: [], says: /The package's AdamW/ },
    "the session's optimizer": { flags: flagsOfSession, says: /ONNX Runtime's AdamW/ },
  });
});

test('a library without the training API: the error names one that has it, and the flag', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sesd-'));
  try {
    const { SESD_ONNXRUNTIME: _, ...env } = process.env;
    const { code, stderr } = await sesdTrain(
      ['--max-steps', '1', '--backend', 'ort-training', '--output', join(folder, 'run')],
      { env: env as Record<string, string> },
    );
    assert.equal(code, 1);
    assert.match(stderr, /--backend ort-training: ONNX Runtime 1\.30\.0 in .* without the training API/);
    assert.match(stderr, /org\.bytedeco:onnxruntime:1\.28\.0-1\.5\.14, classifier linux-x86_64.*--runtime/);
    assert.doesNotMatch(stderr, /a bug in sesd-train/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
