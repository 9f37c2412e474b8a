import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonLines } from '../cli/sesd-train.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export interface StartOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Called with each event of the run. */
  onEvent?: (event: Record<string, unknown>, child: ChildProcess) => void;
}

/** Starts the built command line, as a user does, with its events on standard output. */
export function start(args: string, { cwd, env, onEvent }: StartOptions) {
  const child = spawn(process.execPath, [main, ...args.split(' '), '--json'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const complete = (rest + text).lastIndexOf('\n') + 1;
    const lines = (rest + text).slice(0, complete);
    rest = (rest + text).slice(complete);
    for (const event of jsonLines(lines)) onEvent?.(event, child);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  return { child, ended };
}

/** Runs the command line to its end, which must be a good one. */
export async function succeed(args: string, options: StartOptions): Promise<void> {
  const { code, stderr } = await start(args, options).ended;
  assert.equal(code, 0, stderr);
}

export interface Outcome {
  events: Record<string, unknown>[];
  newest: string | undefined;
  /** sha-256 by file name, as those of the model. */
  checkpoint: Record<string, string>;
  model: Record<string, string>;
  /** Of the runs that avg and vote are made of. */
  runs: Outcome[];
}

/** What must not depend on what happened on the way: the numbers of metrics.jsonl, and the files that were left. */
export function outcomeOf(run: string): Outcome {
  const events = jsonLines(readFileSync(join(run, 'metrics.jsonl'), 'utf8'))
    .filter(({ type }) => ['step', 'eval', 'best', 'early-stop', 'run'].includes(type as string))
    .map(({ ms: _ms, folder: _folder, ...event }) => event);
  const checkpoints = join(run, 'checkpoints');
  const newest = existsSync(checkpoints)
    ? readdirSync(checkpoints)
        .filter((name) => name.startsWith('step-'))
        .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
        .at(-1)
    : undefined;
  return {
    events,
    newest,
    checkpoint: newest === undefined ? {} : digestsOf(join(checkpoints, newest)),
    model: digestsOf(join(run, 'model')),
    runs: readdirSync(run)
      .filter((name) => /^run-\d+$/.test(name))
      .sort()
      .map((name) => outcomeOf(join(run, name))),
  };
}

/** Of state.json, all but the time it took and the digest over it. */
function digestsOf(folder: string): Record<string, string> {
  const contentOf = (name: string): string | Uint8Array => {
    const content = readFileSync(join(folder, name));
    if (name !== 'state.json') return content;
    const { sha256: _sha256, progress, ...state } = JSON.parse(content.toString());
    const { seconds: _seconds, ...timeless } = progress;
    return JSON.stringify({ ...state, progress: timeless });
  };
  const digest = (name: string) => createHash('sha256').update(contentOf(name)).digest('hex');
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, digest(name)]),
  );
}

/** Options of a run on the work folder's tiny model, whose every second step is evaluated and every step kept. */
export const training =
  '--onnx bert --train train.jsonl --dev test.csv --test test.csv --lr 5e-3 --head-lr 5e-3 --threads 1 ' +
  '--batch-size 4 --eval-every 2 --save-every 1';
