import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { prepareBert } from '../../../src/bert/prepare.ts';
import type { TrainOptionsInput } from '../../../src/config/train-options.ts';
import { createDeviceEngine } from '../../../src/engine/backends/onnx-runtime-device.ts';
import { importGraph } from '../../../src/graph/import.ts';
import { readModel } from '../../../src/onnx/read.ts';
import { loadClassifier } from '../../../src/train/classifier.ts';
import type { StepEvent } from '../../../src/train/events.ts';
import type { ReadModelFile } from '../../../src/train/model-provider.ts';
import { readModelFile } from '../../../src/train/open-model.ts';
import { train } from '../../../src/train/train.ts';
import { roundingProducts } from './half-products.ts';

// Whole runs on the embedded model, with the engine of the device on the CPU's provider.

const folder = mkdtempSync(join(tmpdir(), 'sesd-device-'));
after(() => rmSync(folder, { recursive: true }));

/** Forty texts of three labels. */
const data = join(folder, 'train.csv');
const texts = ['a large animal with a trunk', 'something sweet to eat', 'it grows in the garden'];
const lines = Array.from(
  { length: 40 },
  (_, i) => `${texts[i % 3]} ${'and more '.repeat(i % 5)}${i},${i % 3}`,
);
writeFileSync(data, `text,label\n${lines.join('\n')}\n`);

/** Opens a model as always, and puts the other engine in. */
const onDevice =
  (precision: 'fp32' | 'bf16' | 'fp16' = 'fp32'): ReadModelFile =>
  async (path) => {
    const file = await readModelFile(path);
    return {
      ...file,
      open: async (options) => {
        const opened = await file.open(options);
        opened.engine.close();
        const graph = importGraph(await readModel(file.file));
        const { classes, head, dropout, seed } = options;
        const form = { fuse: false, device: 'cuda', precision } as const;
        const { plan } = await prepareBert(graph, { classes, head, dropout, seed, ...form });
        const engine = await createDeviceEngine(roundingProducts(plan));
        return { ...opened, engine, export: async () => {} };
      },
    };
  };

async function stepsOf(output: string, options: TrainOptionsInput, readModel?: ReadModelFile) {
  const steps: StepEvent[] = [];
  const result = await train(
    {
      ...{ train: data, maxSteps: 12, batchSize: 8, device: 'cpu', threads: 2 },
      output: join(folder, output),
      ...options,
    },
    { ...(readModel && { readModel }), onEvent: (event) => event.type === 'step' && steps.push(event) },
  );
  return { steps, result };
}

describe('runs on a device', () => {
  test('a trained model predicts what it predicts with the default engine', async () => {
    const { result } = await stepsOf('trained', { strategy: 'finetune' });
    const [usual, other] = [
      await loadClassifier(result.folder),
      await loadClassifier(result.folder, { readModel: onDevice() }),
    ];
    const asked = [...texts, { text: 'a small bird', pair: 'with a long tail' }, ''];
    const [wanted, found] = [await usual.classify(asked), await other.classify(asked)];
    for (const [index, { label, logits }] of wanted.entries()) {
      assert.equal(found[index]!.label, label);
      assert.ok(logits.every((logit, c) => Math.abs(found[index]!.logits[c]! - logit) < 1e-5));
    }
    for (const classifier of [usual, other]) classifier.close();
  });

  const runs: Record<string, TrainOptionsInput> = {
    finetune: { strategy: 'finetune', dropout: 0 },
    'sda, all students': { strategy: 'sda', dropout: 0 },
    'sda, a window in bfloat16, batches gathered, dropout': {
      ...{ strategy: 'sda', window: 3, accumulate: 2, poolStorage: 'bf16', dropout: 0.1, fuse: false },
    },
    // The default leaves padding out, so that its elements have other numbers, and other ones drop out.
    'ema, dropout': { strategy: 'ema', dropout: 0.1, fuse: false },
  };
  for (const [name, options] of Object.entries(runs)) {
    test(`${name}: the losses of the default engine, step by step`, async () => {
      const expected = await stepsOf(`${name}-cpu`, options);
      const found = await stepsOf(`${name}-device`, options, onDevice());
      assert.equal(found.steps.length, 12);
      for (const [index, wanted] of expected.steps.entries()) {
        const step = found.steps[index]!;
        for (const field of ['loss', 'ce', 'distill', 'gradNorm'] as const) {
          const [a, b] = [step[field] ?? 0, wanted[field] ?? 0];
          assert.ok(
            Math.abs(a - b) <= 2e-4 * Math.max(1, Math.abs(b)),
            `step ${wanted.step}, ${field}: ${a}, expected ${b}`,
          );
        }
      }
    });
  }

  // The losses of some steps; what a rounding does to the weights grows with them.
  for (const [precision, tolerance] of [
    ['bf16', 0.02],
    ['fp16', 0.005],
  ] as const) {
    test(`${precision}: the losses of float32, up to its rounding`, async () => {
      const options = { strategy: 'sda', dropout: 0, accumulate: 2 } as const;
      const expected = await stepsOf(`${precision}-cpu`, options);
      const found = await stepsOf(`${precision}-device`, options, onDevice(precision));
      for (const [index, { loss, gradNorm }] of expected.steps.entries()) {
        const step = found.steps[index]!;
        assert.ok(Math.abs(step.loss - loss) < tolerance * loss, `${step.loss}, expected ${loss}`);
        assert.ok(Math.abs(step.gradNorm - gradNorm) < 4 * tolerance * gradNorm);
        assert.notEqual(step.loss, loss);
      }
    });
  }
});
