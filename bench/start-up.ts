/**
 * What it takes from the command line to the first step, and what each part of that costs:
 *
 *   npm run bench:start-up -- [--onnx FILE|DIR] [--size base] [--strategy sda] [--repeats 5]
 *
 * First the command line as it is compiled in dist/, up to its first `step` event, medians of the repeats. Then the parts
 * of it, once, in this process. On a machine with other work processor time counts, and page faults; the time it takes to
 * touch memory differs by system. Without --onnx a BERT of the size is written to a temporary folder. Linux only.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../src/cli/format.ts';
import type { TrainOptionsInput } from '../src/config/train-options.ts';
import { collate } from '../src/data/batching.ts';
import { createStrategy } from '../src/strategy/index.ts';
import { embeddedModel } from '../src/train/embedded-model.ts';
import { readModelFile } from '../src/train/open-model.ts';
import { RunData } from '../src/train/run-data.ts';
import { resolveRun } from '../src/train/train.ts';
import { median } from './median.ts';
import { isSize, writeBert } from './random-bert.ts';

const { values } = parseArgs({
  options: {
    onnx: { type: 'string' },
    size: { type: 'string', default: 'base' },
    strategy: { type: 'string', default: 'sda' },
    repeats: { type: 'string', default: '5' },
  },
});

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
/** Ticks of the clock processor time is counted in (Linux, USER_HZ). */
const TICKS = 100;

interface Cost {
  seconds: number;
  user: number;
  system: number;
  faults: number;
  /** MB; of the command line the most there was. */
  resident: number;
}

const folder = mkdtempSync(join(tmpdir(), 'sesd-start-up-'));
try {
  const input: TrainOptionsInput = {
    onnx: values.onnx ?? (await writeModel(values.size)),
    train: writeExamples(2000),
    strategy: values.strategy as 'sda',
    batchSize: 8,
    maxSteps: 2,
  };
  const args = ['--onnx', input.onnx!, '--train', input.train!, '--strategy', values.strategy, '--json'];
  const costs: Cost[] = [];
  for (let i = 0; i < Number(values.repeats); i++) {
    const output = join(folder, `run-${i}`);
    costs.push(await untilFirstStep([...args, '--batch-size', '8', '--max-steps', '2', '--output', output]));
  }
  const middle = (name: keyof Cost) => median(costs.map((cost) => cost[name]));
  const whole = Object.fromEntries(
    (['seconds', 'user', 'system', 'faults', 'resident'] as const).map((name) => [name, middle(name)]),
  ) as unknown as Cost;
  const rows = [...(await measureParts(input))].map(([name, cost]) => row(name, cost));
  const heading = ['', 'seconds', 'user', 'system', 'page faults', 'MB'];
  console.log(table([heading, row('command line to step 1', whole), ...rows]));
} finally {
  rmSync(folder, { recursive: true });
}

function row(name: string, { seconds, user, system, faults, resident }: Cost): string[] {
  return [
    name,
    ...[seconds, user, system].map((value) => value.toFixed(2)),
    `${faults}`,
    resident.toFixed(0),
  ];
}

async function writeModel(size: string): Promise<string> {
  if (!isSize(size)) throw new Error(`--size ${size}: there is no BERT of that size`);
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(embeddedModel.folder, name), join(folder, name));
  await writeBert(join(folder, 'model.onnx'), size);
  return folder;
}

function writeExamples(count: number): string {
  const path = join(folder, 'train.csv');
  const lines = Array.from({ length: count }, (_, i) =>
    i % 2 === 0
      ? `the cat and the dog number ${i} run and sleep in the garden,animal`
      : `eat bread with cheese and wine ${i} at the long table,food`,
  );
  writeFileSync(path, ['text,label', ...lines].join('\n'));
  return path;
}

/** The command line's cost up to its first step, when it is ended. */
async function untilFirstStep(args: readonly string[]): Promise<Cost> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if ((JSON.parse(line) as { type: string }).type !== 'step') continue;
    const seconds = (performance.now() - started) / 1000;
    // Fields from the third on, behind the name in parentheses: proc_pid_stat(5).
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    child.kill('SIGKILL');
    return {
      seconds,
      user: stat[11]! / TICKS,
      system: stat[12]! / TICKS,
      faults: stat[7]!,
      resident: Number(status.match(/^VmHWM:\s+(\d+)/m)![1]) / 1000,
    };
  }
  throw new Error('the command line made no step');
}

/** The parts of a run up to its second step, in their order. */
async function measureParts(input: TrainOptionsInput): Promise<Map<string, Cost>> {
  const parts = new Map<string, Cost>();
  const measure = async <T>(name: string, part: () => Promise<T>): Promise<T> => {
    const [started, cpu, before] = [performance.now(), process.cpuUsage(), process.resourceUsage()];
    const result = await part();
    const { user, system } = process.cpuUsage(cpu);
    parts.set(name, {
      seconds: (performance.now() - started) / 1000,
      user: user / 1e6,
      system: system / 1e6,
      faults: process.resourceUsage().minorPageFault - before.minorPageFault,
      resident: process.memoryUsage.rss() / 1e6,
    });
    return result;
  };
  const options = resolveRun(input);
  const data = new RunData(options, () => {});
  const { signal } = new AbortController();

  await measure('read examples', () => data.examples());
  const file = await measure('read the model', () => readModelFile(input.onnx!));
  const { padId } = await measure('read the tokenizer', () => data.tokenizer(file));
  const { engine } = await measure('prepare graphs, weights to the engine', () =>
    file.open({ ...options, classes: 2 }),
  );
  const encoded = await measure('encode examples', () => data.encoded(file, { maxLength: 128, signal }));
  const strategy = await measure('create the strategy', () =>
    createStrategy({ engine, options, totalSteps: 2, folder }),
  );
  const batch = collate(encoded.train.slice(0, 8), { padId, fixed: engine.fixed });
  for (const step of [1, 2]) {
    await measure(`step ${step}: teacher`, async () => {
      await strategy.begin(step);
      await strategy.teach(step, batch);
    });
    const logits = await measure(`step ${step}: forward`, () =>
      engine.forward(batch, { dropoutKey: [1, step] }),
    );
    const dlogits = new Float32Array(logits.data.length).fill(0.01);
    await measure(`step ${step}: backward`, () => engine.backward(dlogits));
    await measure(`step ${step}: update`, async () => {
      const averages = await strategy.averages(step);
      const rates = { learningRate: 1e-5, headLearningRate: 1e-3, weightDecay: 0.01, maxGradNorm: 1 };
      await engine.update({ step, ...rates, ...averages });
      strategy.updated();
    });
  }
  strategy.release();
  engine.close();
  return parts;
}
