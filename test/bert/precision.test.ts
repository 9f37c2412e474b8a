import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bertGraph } from '../../models/bert-graph.ts';
import { normalWeights } from '../../models/random-weights.ts';
import { type BertOptions, prepareBert } from '../../src/bert/prepare.ts';
import { createEngine, type OnnxRuntimeEngine } from '../../src/engine/backends/onnx-runtime.ts';
import type { Batch } from '../../src/engine/engine.ts';
import { importGraph } from '../../src/graph/import.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { distillationObjective } from '../../src/objective/distillation.ts';
import { readModel } from '../../src/onnx/read.ts';
import { collectGradients, relativeError } from './tiny-bert.ts';

const vocabulary = 200;
const classes = 3;

/** A BERT whose products are large enough for kernels of our own. */
async function open(t: TestContext, options: Partial<BertOptions>): Promise<OnnxRuntimeEngine> {
  const config = {
    ...{ vocab_size: vocabulary, hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ intermediate_size: 256, max_position_embeddings: 32, type_vocab_size: 2 },
    ...{ layer_norm_eps: 1e-12, initializer_range: 0.05 },
  };
  const folder = mkdtempSync(join(tmpdir(), 'sesd-precision-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'model.onnx');
  writeFileSync(file, serializeGraph(bertGraph(config, normalWeights(1, config.initializer_range))));
  const { plan } = await prepareBert(importGraph(await readModel(file)), {
    ...{ head: 'auto', dropout: 0, fuse: true, seed: 1, classes },
    ...options,
  });
  const engine = await createEngine(plan, { threads: 2 });
  t.after(() => engine.close());
  return engine;
}

const rows = 12;
const labels = Int32Array.from({ length: rows }, (_, row) => row % classes);

/** Sequences in which one token of each five tells the label. */
function batch(seed: number, length = 20): Batch {
  let state = seed;
  const inputIds = BigInt64Array.from({ length: rows * length }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return BigInt(
      i % 5 === 1 ? 10 + labels[Math.floor(i / length)]! : 20 + ((state >>> 8) % (vocabulary - 20)),
    );
  });
  const attentionMask = inputIds.map((_, i) =>
    i % length < length - (Math.floor(i / length) % 3) ? 1n : 0n,
  );
  return { rows, length, examples: rows, inputIds, attentionMask, tokenTypeIds: inputIds.map(() => 0n) };
}

const objective = distillationObjective({ lambda: 0, distance: 'mse', temperature: 1 });

async function lossAndGradients(engine: OnnxRuntimeEngine, data: Batch): Promise<number> {
  const logits = await engine.forward(data, { dropoutKey: [0, 0] });
  const { loss, dlogits } = objective({ logits: logits.data, labels, rows, classes });
  await engine.backward(Float32Array.from(dlogits));
  return loss;
}

/** L2 norm of the difference relative to the expected values' norm. */
function distance(found: Float32Array, expected: Float32Array): number {
  return Math.hypot(...found.map((value, i) => value - expected[i]!)) / Math.hypot(...expected);
}

test('gradients of a whole model: fp32 equals stock ops, bf16 is off by its rounding', async (t) => {
  const [stock, fp32, bf16] = await Promise.all(
    [{ fuse: false }, {}, { precision: 'bf16' } as const].map(async (options) => {
      const engine = await open(t, options);
      const loss = await lossAndGradients(engine, batch(7));
      return { loss, gradients: await collectGradients(engine) };
    }),
  );
  assert.ok(Math.abs(fp32!.loss - stock!.loss) < 1e-6);
  assert.notEqual(bf16!.loss, stock!.loss, 'bf16 rounds');
  assert.ok(Math.abs(bf16!.loss - stock!.loss) < 0.01 * stock!.loss);
  const largest = Math.max(...[...stock!.gradients.values()].map((values) => Math.hypot(...values)));
  const errors: number[] = [];
  for (const [name, expected] of stock!.gradients) {
    // softmax does not see a constant added to its row: the key bias's gradient is rounding error alone
    if (Math.hypot(...expected) < 1e-6 * largest) continue;
    const off = relativeError(fp32!.gradients.get(name)!, expected);
    assert.ok(off < 1e-4, `${name} in fp32: ${off}`);
    errors.push(distance(bf16!.gradients.get(name)!, expected));
  }
  errors.sort((a, b) => a - b);
  // Bf16 has 8 bits: each rounding is off by up to 0.4 %, and a gradient passes through some ten of them.
  assert.ok(errors[errors.length >> 1]! < 0.01, `median ${errors[errors.length >> 1]}`);
  assert.ok(errors.at(-1)! < 0.03, `largest ${errors.at(-1)}`);
});

test('training in bf16 takes the course of fp32 and learns as much', async (t) => {
  const [fp32, bf16] = await Promise.all(
    (['fp32', 'bf16'] as const).map(async (precision) => {
      const engine = await open(t, { precision });
      const losses: number[] = [];
      for (let step = 1; step <= 40; step++) {
        losses.push(await lossAndGradients(engine, batch(step)));
        const rates = { learningRate: 1e-3, headLearningRate: 1e-3, weightDecay: 0.01, maxGradNorm: 1 };
        await engine.update({ step, ...rates });
      }
      const { data } = await engine.infer(engine.student, batch(1000));
      const right = [...labels].filter((label, row) => {
        const logits = data.subarray(row * classes, (row + 1) * classes);
        return logits.indexOf(Math.max(...logits)) === label;
      });
      return { losses, accuracy: right.length / rows };
    }),
  );
  const mean = (losses: number[]) => losses.reduce((a, b) => a + b) / losses.length;
  assert.equal(fp32!.accuracy, 1);
  assert.equal(bf16!.accuracy, 1);
  assert.ok(
    Math.abs(mean(bf16!.losses) - mean(fp32!.losses)) < 0.02,
    `${mean(bf16!.losses)} ${mean(fp32!.losses)}`,
  );
  assert.ok(bf16!.losses.at(-1)! < 0.1 * bf16!.losses[0]!);
});
