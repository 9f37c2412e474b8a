import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Message, Range } from './worker.ts';

export interface Failure {
  index: number;
  why: string;
  stack: string;
}

export interface Outcome {
  read: number;
  refused: number;
  /** One for each way to fail that was seen. */
  failures: Failure[];
}

/** Cases a worker is asked for at a time. */
const RANGE = 200;
/** A case that takes longer has hung; the judge is stricter, but cannot speak before the case ends. */
const HUNG_MS = 10_000;
const MOST_HEAP_MB = 600;

/** Workers that run cases, each a process that may die of one. */
export class Pool {
  readonly #jobs: number;
  readonly #idle: ChildProcess[] = [];

  constructor(jobs: number) {
    this.#jobs = jobs;
  }

  async run(target: string, seed: number, count: number): Promise<Outcome> {
    const outcome: Outcome = { read: 0, refused: 0, failures: [] };
    const seen = new Set<string>();
    const ranges: Range[] = [];
    for (let from = 0; from < count; from += RANGE) {
      ranges.push({ target, seed, from, to: Math.min(from + RANGE, count) });
    }
    const fail = (failure: Failure) => {
      // The same line of ours is the same defect.
      const kind = /\/src\/.*/.exec(failure.stack)?.[0] ?? failure.why.replace(/\d+/g, '…');
      if (!seen.has(kind)) outcome.failures.push(failure);
      seen.add(kind);
    };
    const work = async () => {
      for (let range = ranges.shift(); range; range = ranges.shift()) {
        const left = await this.#runRange(range, outcome, fail);
        if (left) ranges.unshift(left);
      }
    };
    await Promise.all(Array.from({ length: this.#jobs }, work));
    return outcome;
  }

  async close(): Promise<void> {
    for (const worker of this.#idle) worker.disconnect();
  }

  /** @returns what is left of the range where its worker died */
  async #runRange(
    range: Range,
    outcome: Outcome,
    fail: (failure: Failure) => void,
  ): Promise<Range | undefined> {
    const worker = this.#idle.pop() ?? (await startWorker());
    return new Promise((resolve) => {
      let at = range.from;
      let timer: NodeJS.Timeout | undefined;
      let hung = false;
      const onMessage = (message: Message) => {
        clearTimeout(timer);
        if (message.type === 'case') {
          at = message.index;
          timer = setTimeout(() => {
            hung = true;
            worker.kill('SIGKILL');
          }, HUNG_MS);
        } else if (message.type === 'failed') fail(message);
        else if (message.type === 'done') {
          outcome.read += message.read;
          outcome.refused += message.refused;
          worker.off('message', onMessage).off('exit', onExit);
          this.#idle.push(worker);
          resolve(undefined);
        }
      };
      const onExit = (code: number | null, signal: string | null) => {
        clearTimeout(timer);
        const why = hung
          ? `it took more than ${HUNG_MS} ms`
          : `the process ended with ${signal ?? `code ${code}`}`;
        fail({ index: at, why, stack: '' });
        resolve({ ...range, from: at + 1 });
      };
      worker.on('message', onMessage).on('exit', onExit);
      worker.send(range);
    });
  }
}

async function startWorker(): Promise<ChildProcess> {
  const worker = fork(join(import.meta.dirname, 'worker.ts'), {
    execArgv: ['--import', 'tsx', `--max-old-space-size=${MOST_HEAP_MB}`],
  });
  await new Promise((resolve) => worker.once('message', resolve));
  return worker;
}
