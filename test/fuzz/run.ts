/**
 * Hostile files for everything that reads files:
 *
 *   npm run fuzz                                        100,000 cases in all, the same ones each time
 *   npm run fuzz -- --target onnx,csv --seed 7          other cases of two targets
 *   npm run fuzz -- --target onnx --cases 1000000       more of them
 *   npm run fuzz -- --target onnx --seed 7 --case 4711  one case again, in this process
 *
 * A case that fails is written to test/fuzz/kept/<target>/, where npm test runs it from then on.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { caseToJson, sizeOf } from './case.ts';
import { judge } from './judge.ts';
import { Pool } from './pool.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';
import { targets } from './targets/index.ts';
import { WorkFolder } from './work-folder.ts';

const { values: options } = parseArgs({
  options: {
    target: { type: 'string' },
    cases: { type: 'string' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string' },
    jobs: { type: 'string', default: String(os.availableParallelism()) },
  },
});
const seed = Number(options.seed);
const wanted = options.target?.split(',') ?? targets.map(({ name }) => name);
const chosen = targets.filter(({ name }) => wanted.includes(name));
if (chosen.length !== wanted.length) {
  console.error(`Targets are ${targets.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
/** Larger inputs are repeated by their number alone. */
const MOST_KEPT = 200_000;

process.exitCode = (options.case === undefined ? await runAll() : await runOne(Number(options.case))) ? 0 : 1;

async function runAll(): Promise<boolean> {
  const pool = new Pool(Number(options.jobs));
  let sound = true;
  for (const target of chosen) {
    const began = performance.now();
    const count = options.cases === undefined ? target.cases : Number(options.cases);
    const { read, refused, failures } = await pool.run(target.name, seed, count);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `${target.name.padEnd(12)} ${count} cases in ${seconds} s: ${read} read, ${refused} refused, ${failures.length} failed`,
    );
    for (const { index, why, stack } of failures.slice(0, 20)) {
      sound = false;
      console.log(`  FAILED ${why}\n${stack.split('\n').slice(1, 6).join('\n')}`);
      console.log(`  again: npm run fuzz -- --target ${target.name} --seed ${seed} --case ${index}`);
      await keep(target, index);
    }
  }
  await pool.close();
  return sound;
}

async function keep(target: Target, index: number): Promise<void> {
  const made = (await target.load())(new Random(seed, index));
  if (sizeOf(made) > MOST_KEPT) return;
  const folder = join(import.meta.dirname, 'kept', target.name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${seed}-${index}.json`), caseToJson(made));
}

async function runOne(index: number): Promise<boolean> {
  const target = chosen[0]!;
  const made = (await target.load())(new Random(seed, index));
  const work = await WorkFolder.make();
  work.write(made);
  console.log(`${target.name}, seed ${seed}, case ${index}, in ${work.folder}`);
  const watch = { start: () => {}, outside: () => undefined };
  const run = async () => {
    try {
      await target.run(work.folder);
    } catch (error) {
      console.log(String(error));
      throw error;
    }
  };
  const verdict = await judge(run, sizeOf(made), watch);
  console.log(verdict);
  return verdict.kind !== 'failed';
}
