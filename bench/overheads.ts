/**
 * What the ensembles cost: times one update of each method in turn, in one run, and prints its ratio to plain fine-tuning;
 * and what memory each takes, from a process of its own:
 *
 *   npm run bench:overheads -- [--size base] [--batch 8] [--length 128] [--threads 2] [--repeats 7] [--json FILE]
 *
 * Needs no Python: the model is a BERT of the size with random weights.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { EngineSteps, finetune, type Method, randomBatch } from './engine-steps.ts';
import { median, medianRatio } from './median.ts';
import { isSize, writeBert } from './random-bert.ts';

interface Row {
  method: Method;
  /** Copies of the weights it may keep: one for each snapshot; for the mean of all, that and what its sum rounds off. */
  copies: number;
  /** The most it may cost, as a ratio to plain fine-tuning. */
  atMost?: number;
}

const rows: Record<string, Row> = {
  plain: { method: finetune, copies: 0 },
  'SDA, K = 1': { method: { strategy: 'sda', window: 1 }, copies: 1, atMost: 1.3 },
  'SDA, K = 5': { method: { strategy: 'sda', window: 5 }, copies: 5, atMost: 1.33 },
  'SDA, all': { method: { strategy: 'sda', window: 'all' }, copies: 2 },
  EMA: { method: { strategy: 'ema' }, copies: 1, atMost: 1.3 },
  SE: { method: { strategy: 'se' }, copies: 2 },
  'SDV, K = 1': { method: { strategy: 'sdv', window: 1 }, copies: 1 },
  'SDV, K = 5': { method: { strategy: 'sdv', window: 5 }, copies: 5 },
  'R-Drop': { method: { strategy: 'r-drop' }, copies: 0 },
};

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'base' },
    batch: { type: 'string', default: '8' },
    length: { type: 'string', default: '128' },
    threads: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '7' },
    json: { type: 'string' },
    /** For the processes this one starts: the method to measure the memory of, and the model. */
    memory: { type: 'string' },
    onnx: { type: 'string' },
  },
});
const { size } = values;
if (!isSize(size)) throw new Error(`--size ${size}: expected tiny, mini, small, base or large.`);
const [batch, length, threads, repeats] = [values.batch, values.length, values.threads, values.repeats].map(
  Number,
) as [number, number, number, number];
const MIB = 2 ** 20;

interface Memory {
  parameters: number;
  ensembleBytes: number;
  peakRss: number;
}

if (values.memory !== undefined && values.onnx !== undefined) {
  console.log(JSON.stringify(await measureMemory(rows[values.memory]!.method, values.onnx)));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'sesd-overheads-'));
  try {
    const onnx = join(folder, 'model.onnx');
    await writeBert(onnx, size);
    const memory: Record<string, Memory> = {};
    for (const name of Object.keys(rows)) memory[name] = await memoryOf(name, onnx);
    const milliseconds = await interleaved(onnx);
    print(milliseconds, memory);
    const machine = { cpu: os.cpus()[0]?.model, cores: os.availableParallelism(), node: process.version };
    const settings = { size, batch, length, threads, repeats };
    if (values.json) {
      const result = { date: new Date().toISOString(), machine, settings, milliseconds, memory };
      writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens the model and fills every pool with short updates. */
async function open(onnx: string, methods: readonly Method[]): Promise<EngineSteps> {
  const engine = await EngineSteps.open(onnx, { threads, dropout: 0.1, fuse: true, precision: 'fp32' });
  const short = randomBatch(1, 8);
  for (const method of methods) for (let step = 0; step < 7; step++) await engine.measure(method, short);
  return engine;
}

/** Each round measures every method once; the first warms up and does not count. */
async function interleaved(onnx: string): Promise<Record<string, number[]>> {
  const methods = Object.entries(rows);
  const engine = await open(
    onnx,
    methods.map(([, { method }]) => method),
  );
  const milliseconds: Record<string, number[]> = Object.fromEntries(methods.map(([name]) => [name, []]));
  const data = randomBatch(batch, length);
  for (let round = 0; round <= repeats; round++) {
    for (const [name, { method }] of methods) {
      const { update } = await engine.measure(method, data);
      if (round > 0) milliseconds[name]!.push(update);
    }
  }
  engine.close();
  return milliseconds;
}

async function measureMemory(method: Method, onnx: string): Promise<Memory> {
  const engine = await open(onnx, [method]);
  const data = randomBatch(batch, length);
  for (let step = 0; step < 2; step++) await engine.measure(method, data);
  const { parameters, ensembleBytes } = engine;
  engine.close();
  return { parameters, ensembleBytes, peakRss: process.resourceUsage().maxRSS * 1024 };
}

async function memoryOf(name: string, onnx: string): Promise<Memory> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', fileURLToPath(import.meta.url), '--memory', name, '--onnx', onnx],
    ...['--size', size, '--batch', values.batch, '--length', values.length, '--threads', values.threads],
  ]);
  return JSON.parse(stdout);
}

function print(milliseconds: Record<string, number[]>, memory: Record<string, Memory>): void {
  const { parameters, peakRss } = memory.plain!;
  const copy = 4 * parameters;
  console.log(`BERT ${size}, batch ${batch} × ${length} tokens, ${threads} threads, fp32, dropout 0.1`);
  console.log(`medians of ${repeats} interleaved rounds; a copy of the weights has ${mib(copy)} MiB\n`);
  const line = (cells: string[]) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(14))).join(''));
  line(['', 'ms', '× plain', 'at most', 'copies', 'at most', 'peak MiB', '+ copies']);
  for (const [name, { copies, atMost }] of Object.entries(rows)) {
    const { ensembleBytes, peakRss: peak } = memory[name]!;
    line([
      name,
      median(milliseconds[name]!).toFixed(0),
      medianRatio(milliseconds[name]!, milliseconds.plain!).toFixed(3),
      atMost?.toFixed(2) ?? '',
      (ensembleBytes / copy).toFixed(2),
      String(copies),
      mib(peak),
      ((peak - peakRss) / copy).toFixed(2),
    ]);
  }
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
