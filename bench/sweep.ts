/**
 * Times whole updates of this package and of PyTorch in turn over lengths, batch sizes and model sizes, and writes a JSON that
 * bench/plots.ts draws:
 *
 *   npm run bench:sweep -- --json FILE [--threads 2] [--precision fp32|bf16] [--repeats 5] [--python FILE]
 *
 * A point is skipped where PyTorch or this package has not enough memory for it. Takes about half an hour on two cores.
 * Needs a Python with PyTorch and transformers: --python, SESD_PYTHON or .venv/bin/python.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EngineSteps, finetune, randomBatch } from './engine-steps.ts';
import { median, medianRatio } from './median.ts';
import { TorchWorker } from './torch-worker.ts';

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    precision: { type: 'string', default: 'fp32' },
    repeats: { type: 'string', default: '5' },
    python: { type: 'string', default: process.env.SESD_PYTHON ?? '.venv/bin/python' },
    json: { type: 'string' },
  },
});
const [threads, repeats] = [Number(values.threads), Number(values.repeats)];
const precision = values.precision === 'bf16' ? 'bf16' : 'fp32';
const dropout = 0.1;

/** One setting: a size of model, rows of a batch, tokens of a row. */
export interface Point {
  size: string;
  batch: number;
  length: number;
  /** Milliseconds of an update: medians. */
  milliseconds: Record<string, number>;
  /** How much faster than each of PyTorch's kinds of attention: medians over rounds. */
  speedup: Record<string, number>;
}

const lengths = [32, 64, 128, 256, 512].map((length) => ({ size: 'base', batch: 8, length }));
const batches = [1, 2, 4, 16, 32, 64].map((batch) => ({ size: 'base', batch, length: 64 }));
const models = ['tiny', 'mini', 'small', 'large'].map((size) => ({ size, batch: 8, length: 128 }));
const settings = [...lengths, ...batches, ...models];
const sides = ['eager', 'sdpa'] as const;

const points: Point[] = [];
for (const size of new Set(settings.map((setting) => setting.size))) {
  const folder = mkdtempSync(join(tmpdir(), 'sesd-sweep-'));
  const torch = new TorchWorker(values.python);
  try {
    const model = join(folder, 'model.onnx');
    await torch.ask({ do: 'export', path: model, size });
    const engine = await EngineSteps.open(model, { threads, dropout, fuse: true, precision });
    for (const setting of settings.filter((each) => each.size === size)) {
      await torch.ask({ do: 'prepare', ...setting, threads, dropout, precision });
      points.push(await measure(engine, torch, setting));
      console.error(JSON.stringify(points.at(-1)));
    }
    engine.close();
  } finally {
    await torch.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
const machine = { cpu: os.cpus()[0]?.model, cores: os.availableParallelism(), node: process.version };
const result = {
  date: new Date().toISOString(),
  machine,
  settings: { threads, precision, repeats, dropout },
  points,
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
else console.log(JSON.stringify(result, null, 2));

async function measure(
  engine: EngineSteps,
  torch: TorchWorker,
  setting: { size: string; batch: number; length: number },
): Promise<Point> {
  const data = randomBatch(setting.batch, setting.length);
  const times = { engine: [] as number[], eager: [] as number[], sdpa: [] as number[] };
  // the first round warms up and does not count
  for (let round = 0; round <= repeats; round++) {
    const { update } = await engine.measure(finetune, data);
    if (round > 0) times.engine.push(update);
    for (const what of sides) {
      await pause(50); // the other side's threads have stopped spinning
      const { ms } = await torch.ask({ do: 'measure', what, step: 'update' });
      if (round > 0) times[what].push(ms as number);
    }
    await pause(50);
  }
  return {
    ...setting,
    milliseconds: Object.fromEntries(Object.entries(times).map(([side, ms]) => [side, median(ms)])),
    speedup: Object.fromEntries(sides.map((side) => [side, medianRatio(times[side], times.engine)])),
  };
}
