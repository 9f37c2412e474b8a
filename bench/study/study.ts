/**
 * Runs the study (README.md of this folder), in processes of one thread each:
 *
 *   node --import tsx bench/study/study.ts defaults|confirm|paper --data DIR --models DIR --runs DIR --results FILE [--workers 2]
 *
 * FILE takes one JSON object a run. What it has already is not run again.
 */
import { fork } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CellResult } from './cell.ts';
import { type Cell, nameOf, plans, type Study } from './plan.ts';
import type { FromWorker } from './worker.ts';

const { values, positionals } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    models: { type: 'string', default: '' },
    runs: { type: 'string', default: '' },
    results: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});
const [study] = positionals as [Study?];
const { data, models, runs, results } = values;
if (!study || !Object.hasOwn(plans, study) || !data || !models || !runs || !results) {
  throw new Error(
    `usage: study.ts ${Object.keys(plans).join('|')} --data DIR --models DIR --runs DIR --results FILE`,
  );
}
mkdirSync(runs, { recursive: true });

const done = new Set(readResults(results).map(({ cell }) => nameOf(cell)));
const planned = plans[study]();
const waiting = planned.filter((cell) => !done.has(nameOf(cell)));
console.log(`${planned.length} runs, ${waiting.length} to do`);
for (let i = 0; i < Number(values.workers); i++) start();

function start(): void {
  const worker = fork(new URL('worker.ts', import.meta.url), [JSON.stringify({ data, models, runs })]);
  let cell: Cell | undefined;
  const next = () => {
    cell = waiting.shift();
    if (cell) worker.send(cell);
    else worker.disconnect();
  };
  worker.on('message', (message: FromWorker) => {
    if ('error' in message) {
      console.error(`${nameOf(cell!)}: ${message.error}`);
    } else {
      const { best, last, cpuSeconds } = message.result;
      appendFileSync(results, `${JSON.stringify(message.result)}\n`);
      const tests = Object.values(last).map(({ accuracy }) => (100 * accuracy).toFixed(1));
      console.log(
        `${nameOf(cell!)}: ${(100 * best.test).toFixed(1)} (last ${tests.join(', ')}) in ${cpuSeconds} s`,
      );
    }
    next();
  });
  next();
}

function readResults(file: string): CellResult[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as CellResult);
}
