/**
 * Times training steps of this package and of PyTorch in turn, in one run, and prints medians and their ratio:
 *
 *   npm run bench -- [--family bert] [--size base] [--batch 8] [--length 128] [--threads 2] [--repeats 9] [--dropout 0.1]
 *                    [--precision fp32|bf16] [--compile] [--onnx FILE] [--no-fuse] [--python FILE] [--json FILE]
 *
 * With bf16 PyTorch runs under bfloat16 autocast; --compile adds torch.compile, which takes minutes to warm up.
 * Needs a Python with PyTorch and transformers: --python, SESD_PYTHON or .venv/bin/python.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EngineSteps, finetune, randomBatch, sda } from './engine-steps.ts';
import { median, medianRatio } from './median.ts';
import { neededFlops } from './needed-flops.ts';
import { isSize } from './random-bert.ts';
import { TorchWorker } from './torch-worker.ts';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    family: { type: 'string', default: 'bert' },
    size: { type: 'string', default: 'base' },
    batch: { type: 'string', default: '8' },
    length: { type: 'string', default: '128' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '9' },
    dropout: { type: 'string', default: '0.1' },
    precision: { type: 'string', default: 'fp32' },
    compile: { type: 'boolean', default: false },
    onnx: { type: 'string' },
    fuse: { type: 'boolean', default: true },
    python: { type: 'string', default: process.env.SESD_PYTHON ?? '.venv/bin/python' },
    json: { type: 'string' },
  },
});
const [batch, length, threads, repeats, dropout] = (
  ['batch', 'length', 'threads', 'repeats', 'dropout'] as const
).map((name) => Number(values[name])) as [number, number, number, number, number];

const sizes = { size: values.size, batch, length, threads, dropout };
const precision = values.precision === 'bf16' ? 'bf16' : 'fp32';

/** Timers that see the event loop's delay fire this often. */
const RESOLUTION_MS = 5;
/** What is timed: forward and backward; a whole update; an update with a teacher one step behind. */
type Step = 'gradients' | 'update' | 'sda';
const steps: Step[] = ['gradients', 'update', 'sda'];
const names: Record<Step, string> = {
  gradients: 'forward + backward',
  update: 'whole update',
  sda: 'update with SDA, K = 1',
};

const folder = mkdtempSync(join(tmpdir(), 'sesd-bench-'));
const torch = new TorchWorker(values.python);
try {
  const model = values.onnx ?? join(folder, 'model.onnx');
  const { family, size } = values;
  if (!values.onnx) await torch.ask({ do: 'export', path: model, family, size });
  const { sides: attentions, ...versions } = await torch.ask({ do: 'prepare', ...sizes, family, precision });
  // kinds of attention, of which some families have one alone, and torch.compile of the last
  const sides = [...(attentions as string[]), ...(values.compile ? ['compiled'] : [])];
  const engine = await EngineSteps.open(model, { threads, dropout, fuse: values.fuse, precision });
  const times = await interleaved(engine, sides);
  const result = {
    date: new Date().toISOString(),
    machine: {
      cpu: os.cpus()[0]?.model,
      cores: os.availableParallelism(),
      node: process.version,
      ...versions,
    },
    settings: { family, ...sizes, repeats, fuse: values.fuse, precision },
    steps: summarize(times.milliseconds, sides),
    longestEventLoopDelayMs: times.longestDelay,
    gflops: await rates(times.milliseconds.gradients.engine),
    peakRss: {
      engine: process.resourceUsage().maxRSS * 1024,
      torch: (await torch.ask({ do: 'memory' })).peakRss,
    },
  };
  engine.close();
  print(result);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
} finally {
  await torch.close();
  rmSync(folder, { recursive: true, force: true });
}

/** GFLOP/s of what forward and backward need, and of PyTorch's matrix products in the same run: what the machine can do. */
async function rates(gradients: readonly number[]): Promise<{ step: number; machine: number } | undefined> {
  if (values.family !== 'bert' || !isSize(values.size)) return undefined;
  const { gflops } = await torch.ask({ do: 'matmul', precision });
  const step = neededFlops(values.size, batch, length) / 1e6 / median(gradients);
  return { step, machine: gflops as number };
}

type Times = Record<Step, { engine: number[]; torch: Record<string, number[]> }>;

/** Each round measures every step on every side once; the first round warms up and does not count. */
async function interleaved(
  engine: EngineSteps,
  sides: readonly string[],
): Promise<{ milliseconds: Times; longestDelay: number }> {
  const milliseconds = Object.fromEntries(
    steps.map((step) => [step, { engine: [], torch: Object.fromEntries(sides.map((side) => [side, []])) }]),
  ) as unknown as Times;
  const data = randomBatch(batch, length);
  let longestDelay = 0;
  for (let round = 0; round <= repeats; round++) {
    for (const step of steps) {
      const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      delay.enable();
      const took = await engine.measure(step === 'sda' ? sda : finetune, data);
      const ours = step === 'gradients' ? took.gradients : took.update;
      delay.disable();
      if (round > 0) {
        milliseconds[step].engine.push(ours);
        longestDelay = Math.max(longestDelay, delay.max / 1e6 - RESOLUTION_MS);
      }
      for (const what of sides) {
        await pause(50); // the other side's threads have stopped spinning
        const { ms } = await torch.ask({ do: 'measure', what, step });
        if (round > 0) milliseconds[step].torch[what]!.push(ms as number);
      }
      await pause(50);
    }
  }
  return { milliseconds, longestDelay };
}

function summarize(milliseconds: Times, sides: readonly string[]) {
  return Object.fromEntries(
    steps.map((step) => {
      const { engine, torch } = milliseconds[step];
      const ofTorch = (of: (times: number[]) => number) =>
        Object.fromEntries(sides.map((side) => [side, of(torch[side]!)]));
      const own = median(engine);
      return [
        step,
        {
          milliseconds: { engine: own, ...ofTorch(median) },
          samplesPerSecond: (1000 * batch) / own,
          // Of rounds, not of medians: load that comes and goes is on both sides of a round.
          speedup: ofTorch((times) => medianRatio(times, engine)),
        },
      ];
    }),
  );
}

function print(result: {
  steps: ReturnType<typeof summarize>;
  longestEventLoopDelayMs: number;
  gflops: { step: number; machine: number } | undefined;
  peakRss: { engine: number; torch: unknown };
  settings: { family: string };
}): void {
  console.log(
    `${result.settings.family} ${values.size}, batch ${batch} × ${length} tokens, ${threads} threads, ${precision}, dropout ${dropout}`,
  );
  console.log(`medians of ${repeats} interleaved rounds in ms; ×: how much faster than PyTorch\n`);
  const row = (cells: string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(14))).join(''));
  const sides = Object.keys(result.steps.update!.speedup);
  row(['', 'sesd-train', ...sides.map((side) => `torch ${side}`), ...sides.map((side) => `× ${side}`)]);
  for (const step of steps) {
    const { milliseconds, speedup } = result.steps[step]!;
    const numbers = Object.values(milliseconds).map((ms) => ms.toFixed(0));
    row([names[step], ...numbers, ...Object.values(speedup).map((ratio) => ratio.toFixed(2))]);
  }
  const cost = result.steps.sda!.milliseconds.engine / result.steps.update!.milliseconds.engine;
  if (result.gflops) {
    const { step, machine } = result.gflops;
    const share = ((100 * step) / machine).toFixed(0);
    console.log(
      `GFLOP/s needed: ${step.toFixed(0)}, ${share} % of the ${machine.toFixed(0)} of PyTorch's matmul`,
    );
  }
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
  console.log(`\nSDA against plain fine-tuning: × ${cost.toFixed(2)}`);
  console.log(
    `peak memory: ${gib(result.peakRss.engine)} GiB (PyTorch ${gib(Number(result.peakRss.torch))})`,
  );
  console.log(`longest event-loop delay while training: ${result.longestEventLoopDelayMs.toFixed(0)} ms`);
}
