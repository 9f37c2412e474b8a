import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, describe, test } from 'node:test';
import { loadAddon } from '../../../src/engine/backends/load-addon.ts';
import { type OnnxRuntimeEngine, openRuntime } from '../../../src/engine/backends/onnx-runtime.ts';
import { createDeviceEngine, type DeviceEngine } from '../../../src/engine/backends/onnx-runtime-device.ts';
import { createSession } from '../../../src/engine/backends/sessions.ts';
import type { NamedArray, UpdateOptions, Weights } from '../../../src/engine/engine.ts';
import {
  collectGradients,
  crossEntropyGradients,
  prepareTiny,
  relativeError,
  type TinyFile,
  tinyBatch,
  tinyEngine,
} from '../../bert/tiny-bert.ts';

// The engine of the device, on the CPU's provider: the graphs are those it would run on a GPU.

const folder = mkdtempSync(`${tmpdir()}/sesd-device-`);
after(() => rmSync(folder, { recursive: true }));

async function deviceEngine(dropout = 0, file?: TinyFile, freeze?: string): Promise<DeviceEngine> {
  openRuntime({ threads: 2 });
  const options = { fuse: false, device: 'cuda' as const, dropout, ...(freeze !== undefined && { freeze }) };
  return createDeviceEngine((await prepareTiny(options, file)).plan);
}

type Pair = [DeviceEngine, OnnxRuntimeEngine];

async function pair(t: { after(f: () => void): void }, dropout = 0): Promise<Pair> {
  const engines: Pair = [await deviceEngine(dropout), await tinyEngine({ dropout })];
  t.after(() => {
    for (const engine of engines) engine.close();
  });
  return engines;
}

async function valuesOf(arrays: AsyncIterable<NamedArray>): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for await (const { name, data } of arrays) values.set(name, data);
  return values;
}

async function assertSame(
  actual: AsyncIterable<NamedArray>,
  expected: AsyncIterable<NamedArray>,
  tolerance: number,
): Promise<void> {
  const [found, wanted] = [await valuesOf(actual), await valuesOf(expected)];
  assert.deepEqual([...found.keys()], [...wanted.keys()]); // also their order
  for (const [name, values] of wanted) {
    // softmax does not see a constant added to its row: the key bias moves by AdamW of rounding errors
    if (name.endsWith('key.bias')) continue;
    const difference = Math.max(...found.get(name)!.map((value, i) => Math.abs(value - values[i]!)));
    assert.ok(difference <= tolerance, `${name}: ${difference}`);
  }
}

const update: UpdateOptions = {
  ...{ step: 1, learningRate: 1e-3, headLearningRate: 1e-2, weightDecay: 0.1, maxGradNorm: 0.1 },
};

async function step(engine: Pair[number], options: UpdateOptions): Promise<number> {
  const key = [options.step, 7] as const;
  const { data } = await engine.forward(tinyBatch(), { dropoutKey: key });
  await engine.backward(data.map((value, index) => 0.1 * value + Math.sin(index + options.step)));
  return (await engine.update(options)).gradNorm;
}

test('a graph with nodes on the CPU is refused where that is not wanted, and the error says what to do', async () => {
  openRuntime({ threads: 2 });
  const { plan } = await prepareTiny({ fuse: false });
  await assert.rejects(createSession(loadAddon(), plan.inference.model, 'graph', { deviceOnly: true }), {
    ...{ code: 'SESD_UNSUPPORTED_OP', message: /computes shapes/, hint: /dynamo=True.*--device cpu/ },
  });
});

describe('the engine of a device', () => {
  for (const file of ['model.onnx', 'model-dynamo.onnx'] as const) {
    test(`${file}: logits, loss and gradients are the default engine's`, async (t) => {
      const device = await deviceEngine(0, file);
      const cpu = await tinyEngine({}, file);
      t.after(() => {
        device.close();
        cpu.close();
      });
      const [found, wanted] = [await crossEntropyGradients(device), await crossEntropyGradients(cpu)];
      const largest = Math.max(...[...wanted.values()].map((values) => Math.max(...values.map(Math.abs))));
      for (const [name, values] of wanted) {
        const differences = found.get(name)!.map((value, index) => Math.abs(value - values[index]!));
        assert.ok(Math.max(...differences) < 1e-6 * largest, name);
      }
      const inferred = await device.infer(device.student, tinyBatch());
      const expected = await cpu.infer(cpu.student, tinyBatch());
      assert.ok(relativeError(inferred.data, expected.data) < 1e-5);
    });
  }

  test('dropout drops the same elements', async (t) => {
    const [device, cpu] = await pair(t, 0.3);
    const dropoutKey = [0x9e3779b9, 0xffffffff] as const;
    const found = await device.forward(tinyBatch(), { dropoutKey });
    const wanted = await cpu.forward(tinyBatch(), { dropoutKey });
    assert.ok(relativeError(found.data, wanted.data) < 1e-5);
  });

  test('updates with rates, decay and clipping: norm, weights and moments', async (t) => {
    const [device, cpu] = await pair(t, 0.1);
    for (const index of [1, 2, 3]) {
      const options = { ...update, step: index };
      const [found, wanted] = [await step(device, options), await step(cpu, options)];
      assert.ok(Math.abs(found - wanted) < 1e-5 * wanted, `${found}, expected ${wanted}`);
      assert.ok(wanted > update.maxGradNorm); // so that clipping is tested
    }
    await assertSame(device.student.read(), cpu.student.read(), 2e-6);
    await assertSame(device.readMoments('m'), cpu.readMoments('m'), 1e-8);
    await assertSame(device.readMoments('v'), cpu.readMoments('v'), 1e-10);
  });

  test('gradients of micro-batches add up', async (t) => {
    const [device, cpu] = await pair(t);
    for (const engine of [device, cpu]) {
      for (const scale of [1, -0.4, 2]) {
        await engine.forward(tinyBatch(), { dropoutKey: [1, 1] });
        await engine.backward(Float32Array.from({ length: 12 }, (_, index) => scale * Math.cos(index)));
      }
    }
    const [found, wanted] = [await collectGradients(device), await collectGradients(cpu)];
    const largest = Math.max(...[...wanted.values()].map((values) => Math.max(...values.map(Math.abs))));
    for (const [name, values] of wanted) {
      const differences = found.get(name)!.map((value, index) => Math.abs(value - values[index]!));
      assert.ok(Math.max(...differences) < 2e-6 * largest, name);
    }
  });

  test('averages of every kind, in memory of every kind', async (t) => {
    const engines = await pair(t);
    const sets = await Promise.all(
      engines.map(async (engine) => {
        const [copy, narrow, ema, mean, residual, window] = await Promise.all([
          ...[engine.createWeights({ folder }), engine.createWeights('bf16'), engine.createWeights()],
          ...[engine.createWeights(), engine.createWeights('bf16'), engine.createWeights()],
        ]);
        for (const index of [1, 2, 3, 4]) {
          await step(engine, {
            ...{ ...update, step: index, learningRate: 0.02 },
            before: [
              { kind: 'copy', into: copy! },
              { kind: 'copy', into: narrow! },
            ],
            after: [
              { kind: 'blend', into: ema!, weight: 0.25 },
              { kind: 'running-mean', into: mean!, residual: residual!, count: index },
              { kind: 'mean', into: window!, others: [copy!, narrow!] },
            ],
          });
        }
        const other = await engine.createWeights();
        await engine.mean(other, [other, ema!, narrow!]);
        await engine.average(other, [{ kind: 'blend', into: ema!, weight: 0.5 }]);
        return { copy, narrow, ema, mean, window, other } as Record<string, Weights>;
      }),
    );
    for (const [name, weights] of Object.entries(sets[1]!)) {
      const tolerance = name === 'narrow' ? 2e-3 : 2e-4; // bfloat16 of the two may differ by a last digit
      await assertSame(sets[0]![name]!.read(), weights.read(), tolerance);
    }
    const [found, wanted] = await Promise.all([
      engines[0].infer(sets[0]!.narrow!, tinyBatch()),
      engines[1].infer(sets[1]!.narrow!, tinyBatch()),
    ]);
    assert.ok(relativeError(found.data, wanted.data) < 2e-2);
  });

  test('a running mean of many sets does not drift', async (t) => {
    const [device] = await pair(t);
    const [mean, residual] = [await device.createWeights(), await device.createWeights('bf16')];
    const { name, size } = device.parameters[0]!;
    const sums = new Float64Array(size);
    for (let count = 1; count <= 200; count++) {
      const shifted = await valuesOf(device.student.read());
      for (const values of shifted.values())
        for (let i = 0; i < values.length; i++) values[i]! += 1e-4 * Math.sin(count + i);
      await device.student.write(entries(shifted));
      shifted.get(name)!.forEach((value, i) => {
        sums[i]! += value;
      });
      await device.average(device.student, [{ kind: 'running-mean', into: mean, residual, count }]);
    }
    const found = (await valuesOf(mean.read())).get(name)!;
    found.forEach((value, i) => {
      const wanted = sums[i]! / 200;
      assert.ok(
        Math.abs(value - wanted) <= 2 ** -23 * Math.max(Math.abs(wanted), 1e-3),
        `${value}, expected ${wanted}`,
      );
    });
  });

  test('gradients that are not finite change nothing', async (t) => {
    const [device] = await pair(t);
    const before = await valuesOf(device.student.read());
    const kept = await device.createWeights();
    await device.forward(tinyBatch(), { dropoutKey: [1, 1] });
    await device.backward(new Float32Array(12).fill(Number.NaN));
    const { gradNorm } = await device.update({
      ...update,
      after: [{ kind: 'blend', into: kept, weight: 1 }],
    });
    assert.ok(Number.isNaN(gradNorm));
    assert.deepEqual(await valuesOf(device.student.read()), before);
    assert.deepEqual(await valuesOf(kept.read()), before);
  });

  test('frozen weights stay, moments and weights go out and in', async (t) => {
    const device = await deviceEngine(0, undefined, 'embeddings');
    t.after(() => device.close());
    await step(device, update);
    const [weights, m] = [await valuesOf(device.student.read()), await valuesOf(device.readMoments('m'))];
    await step(device, { ...update, step: 2 });
    await device.student.write(entries(weights));
    await device.writeMoments('m', entries(m));
    assert.deepEqual(await valuesOf(device.student.read()), weights);
    assert.deepEqual(await valuesOf(device.readMoments('m')), m);
    assert.ok(device.parameters.every(({ name }) => !name.includes('embeddings')));
  });
});

async function* entries(values: ReadonlyMap<string, Float32Array>): AsyncIterable<NamedArray> {
  for (const [name, data] of values) yield { name, data };
}
