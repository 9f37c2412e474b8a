import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BertConfig, bertGraph } from '../../models/bert-graph.ts';
import { normalWeights } from '../../models/random-weights.ts';
import { bertTokenizer } from '../../models/tokenizer.ts';
import { trainWordPiece } from '../../models/wordpiece-trainer.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';

const ours = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface SpawnOptions {
  /** The program; this checkout's unless said otherwise. */
  main?: string;
  cwd?: string;
  stdin?: string;
  env?: Record<string, string>;
  /** Called with what is new on standard output and error; may signal the process. */
  watch?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the command line as a user does, in a process of its own. */
export function sesdTrain(args: readonly string[], options: SpawnOptions = {}): Promise<Finished> {
  const { main = ours, cwd, stdin, env, watch } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', tsx, main, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const finished: Finished = { code: null, stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (text: string) => {
        finished[name] += text;
        watch?.(text, (signal) => child.kill(signal));
      });
    }
    child.stdin?.on('error', () => {}).end(stdin); // it may end before it has read everything
    child.on('error', reject).on('close', (code) => resolve({ ...finished, code }));
  });
}

/** Twenty sentences of two topics, easy to tell apart. */
export const rows = Array.from({ length: 20 }, (_, i) =>
  i % 2 === 0
    ? { text: `the cat and dog number ${i} run and sleep`, label: 'animal' }
    : { text: `eat bread with cheese and wine ${i}`, label: 'food' },
);

/** A folder with `bert/` (a BERT of one layer with its tokenizer) and the rows as train.jsonl and test.csv. */
export async function makeWorkFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sesd-cli-'));
  const vocabulary = trainWordPiece(
    rows.map(({ text }) => text),
    { size: 120, alphabet: 'abcdefghijklmnopqrstuvwxyz', minFrequency: 1 },
  );
  const config: BertConfig = {
    vocab_size: vocabulary.length,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: 32,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
    initializer_range: 0.02,
  };
  await mkdir(join(folder, 'bert'));
  await writeFile(join(folder, 'bert/model.onnx'), serializeGraph(bertGraph(config, normalWeights(1, 0.1))));
  await writeFile(join(folder, 'bert/config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'bert/tokenizer.json'), JSON.stringify(bertTokenizer(vocabulary)));
  await writeFile(join(folder, 'train.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await writeFile(
    join(folder, 'test.csv'),
    ['text,label', ...rows.map(({ text, label }) => `${text},${label}`)].join('\n'),
  );
  return folder;
}

/** Objects of a JSON lines text. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export async function readJsonLines(path: string): Promise<Record<string, unknown>[]> {
  return jsonLines(await readFile(path, 'utf8'));
}
