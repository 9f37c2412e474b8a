import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NamedArray, Parameter } from '../../../src/engine/engine.ts';
import { CheckpointStore } from '../../../src/train/checkpoint.ts';
import type { Progress } from '../../../src/train/stored-checkpoint.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { mutateJson } from '../mutate/json.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

const parameters: Parameter[] = [
  { name: 'w', dims: [3, 2], size: 6, group: 'body', decay: true, learningRateScale: 1 },
  { name: 'b', dims: [2], size: 2, group: 'head', decay: false, learningRateScale: 1 },
];
const place = 'checkpoints/step-4';

/** A run's newest checkpoint: verified, then read. */
export const checkpoint: Target = {
  name: 'checkpoint',
  cases: 2000,
  async load() {
    const files = await writtenCheckpoint();
    const links = { [`${place}/link.safetensors`]: '../../../canary/secret.bin' };
    return (random) => {
      const changed = Object.entries(files).map(([name, content]) => [
        `${place}/${name}`,
        name === 'state.json'
          ? hostileState(random, content)
          : random.once(3)
            ? mutateBytes(random, content)
            : content,
      ]);
      const lost = random.once(8) ? random.below(changed.length) : -1;
      return { files: Object.fromEntries(changed.filter((_, index) => index !== lost)), links };
    };
  },
  async run(folder) {
    const store = new CheckpointStore(folder, parameters, { keep: 1 });
    const { checkpoint } = await store.newest();
    for (const set of ['student', 'first-moments']) {
      for await (const _ of checkpoint?.read(set) ?? []);
    }
  },
};

async function writtenCheckpoint(): Promise<Record<string, Uint8Array>> {
  const folder = await mkdtemp(join(tmpdir(), 'sesd-checkpoint-'));
  try {
    const store = new CheckpointStore(folder, parameters, { keep: 1 });
    const read = async function* (): AsyncGenerator<NamedArray> {
      for (const { name, size } of parameters) yield { name, data: new Float32Array(size).fill(0.5) };
    };
    const dev = { examples: 4, loss: 1, accuracy: 0.5, macroF1: 0.5 };
    const best = { step: 2, model: 'student' as const, dev };
    const progress: Progress = {
      ...{ step: 4, evaluated: true, evaluationsSinceBest: 1, seconds: 60, best },
      ...{
        strategy: { pool: { count: 3, scores: [0.1, 0.2] } },
        data: { train: 'ab', dev: 'cd' },
        model: 'ef',
      },
    };
    await store.save(progress, [
      { name: 'student', read },
      { name: 'first-moments', read },
    ]);
    const names = await readdir(join(folder, place));
    const contents = await Promise.all(names.map((name) => readFile(join(folder, place, name))));
    return Object.fromEntries(names.map((name, index) => [name, contents[index]!]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** state.json, in three of four cases with the digest that says it is whole. */
function hostileState(random: Random, content: Uint8Array): Uint8Array {
  if (random.once(4)) return mutateBytes(random, content);
  const { sha256: _, ...state } = JSON.parse(Buffer.from(content).toString());
  let text: string;
  let changed: unknown;
  try {
    text = mutateJson(random, random.once(3) ? withOtherFiles(random, state) : state);
    changed = JSON.parse(text);
  } catch {
    return Buffer.from('{');
  }
  if (typeof changed !== 'object' || changed === null) return Buffer.from(text);
  try {
    const sha256 = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
    return Buffer.from(JSON.stringify({ ...changed, sha256 }));
  } catch {
    return Buffer.from(text); // nested too deep to be written again
  }
}

function withOtherFiles<T extends { files: Record<string, unknown> }>(random: Random, state: T): T {
  const record = { bytes: 4096, sha256: createHash('sha256').update(new Uint8Array(4096)).digest('hex') };
  const name = random.pick([
    '../../../canary/secret.bin',
    '/etc/hostname',
    'link.safetensors',
    '../../..',
    'state.json',
  ]);
  return { ...state, files: { ...state.files, [name]: record } };
}
