import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { lossScales } from '../../../src/engine/backends/device/loss-scale.ts';
import { openRuntime } from '../../../src/engine/backends/onnx-runtime.ts';
import { createDeviceEngine, type DeviceEngine } from '../../../src/engine/backends/onnx-runtime-device.ts';
import type { NamedArray } from '../../../src/engine/engine.ts';
import { collectGradients, prepareTiny, tinyBatch } from '../../bert/tiny-bert.ts';
import { roundingProducts } from './half-products.ts';

// Graphs in half precision as a GPU would run them, on the CPU's provider, which half-products.ts makes round.

type Precision = 'fp32' | 'bf16' | 'fp16';

async function open(t: { after(f: () => void): void }, precision: Precision): Promise<DeviceEngine> {
  openRuntime({ threads: 2 });
  const { plan } = await prepareTiny({ fuse: false, device: 'cuda', dropout: 0.1, precision });
  const engine = await createDeviceEngine(roundingProducts(plan));
  t.after(() => engine.close());
  return engine;
}

const dlogits = (size: number) => Float32Array.from({ length: 12 }, (_, index) => size * Math.sin(index + 1));

async function gradients(engine: DeviceEngine, ...sizes: number[]): Promise<Map<string, Float32Array>> {
  for (const size of sizes) {
    await engine.forward(tinyBatch(), { dropoutKey: [5, 1] });
    await engine.backward(dlogits(size));
  }
  const found = await collectGradients(engine);
  await engine.update({
    step: 1,
    learningRate: 0,
    headLearningRate: 0,
    weightDecay: 0,
    maxGradNorm: Infinity,
  });
  return found;
}

/** ‖a − b‖ / ‖b‖ over all parameters. */
function distance(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  let [difference, size] = [0, 0];
  for (const [name, values] of b) {
    const found = a.get(name)!;
    values.forEach((value, index) => {
      difference += (found[index]! - value) ** 2;
      size += value ** 2;
    });
  }
  return Math.sqrt(difference / size);
}

/**
 * How far results are from float32's: at least, for they are rounded, and at most. A rounding is off by up to 2⁻⁹ in
 * bfloat16 and 2⁻¹² in float16; some tens of them follow each other.
 */
const distances = { bf16: [2 ** -12, 2 ** -6], fp16: [2 ** -15, 2 ** -9] } as const;

describe('mixed precision', () => {
  for (const precision of ['bf16', 'fp16'] as const) {
    test(`${precision}: logits and gradients are those of float32 up to rounding`, async (t) => {
      const [half, full] = [await open(t, precision), await open(t, 'fp32')];
      const [least, most] = distances[precision];
      const logits = async (engine: DeviceEngine) =>
        new Map([['logits', (await engine.infer(engine.student, tinyBatch())).data]]);
      for (const apart of [
        distance(await logits(half), await logits(full)),
        distance(await gradients(half, 0.1), await gradients(full, 0.1)),
      ])
        assert.ok(least < apart && apart < most, `${apart}`);
    });
  }

  test('fp16: small gradients are there, as the loss is scaled', async (t) => {
    const [half, full] = [await open(t, 'fp16'), await open(t, 'fp32')];
    const apart = distance(await gradients(half, 1e-7), await gradients(full, 1e-7));
    assert.ok(apart < distances.fp16[1], `${apart}`);
  });

  test('fp16: large gradients are there, as a backward pass is done again with a smaller scale', async (t) => {
    const [half, full] = [await open(t, 'fp16'), await open(t, 'fp32')];
    for (const engine of [half, full]) await scaleClassifier(engine, 2 ** 12);
    const [found, wanted] = [await gradients(half, 0.1), await gradients(full, 0.1)];
    const largest = Math.max(...[...wanted.values()].flatMap((values) => [...values.map(Math.abs)]));
    assert.ok(largest * lossScales(dlogits(0.1))[0]! > 65504); // so that the first scale is too large
    const apart = distance(found, wanted);
    assert.ok(apart < distances.fp16[1], `${apart}`);
  });

  test('fp16: gradients of micro-batches add up, each with its own scale', async (t) => {
    const [half, full] = [await open(t, 'fp16'), await open(t, 'fp32')];
    const apart = distance(await gradients(half, 0.1, 30, 0), await gradients(full, 0.1, 30, 0));
    assert.ok(apart < distances.fp16[1], `${apart}`);
  });

  test('fp16: gradients that are not numbers stay so', async (t) => {
    const half = await open(t, 'fp16');
    await half.forward(tinyBatch(), { dropoutKey: [5, 1] });
    await half.backward(dlogits(Number.NaN));
    const { gradNorm } = await half.update({
      ...{ step: 1, learningRate: 1, headLearningRate: 1, weightDecay: 0, maxGradNorm: 1 },
    });
    assert.ok(Number.isNaN(gradNorm));
  });
});

async function scaleClassifier(engine: DeviceEngine, factor: number): Promise<void> {
  const arrays: NamedArray[] = [];
  for await (const { name, data } of engine.student.read())
    arrays.push({ name, data: name === 'classifier.weight' ? data.map((value) => factor * value) : data });
  await engine.student.write(Readable.from(arrays));
}
