import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { EnsembleState } from '../ensemble/ensemble.ts';
import type { BestRecord } from './best-weights.ts';
import type { DataDigests } from './data-digest.ts';
import { packageVersion } from './package-version.ts';

/** Everything of a run's state that is not an array. */
export interface Progress {
  /** Updates done. */
  step: number;
  /** Whether the evaluation that is due after `step`, if one is, has been done. */
  evaluated: boolean;
  evaluationsSinceBest: number;
  /** Of training, in all processes of the run. */
  seconds: number;
  best?: BestRecord;
  /** The strategy's ensembles, beside their weights. */
  strategy: Readonly<Record<string, EnsembleState>>;
  /** A resumed run must see the same examples. */
  data: DataDigests;
  /** A digest of the model beside the weights that are here: a resumed run must have the same. */
  model: string;
}

/** What a file was when it was written. */
export interface FileRecord {
  bytes: number;
  sha256: string;
}

/** Grows with every change of what a checkpoint holds. */
const formatVersion = 4;

/** Content of state.json. */
interface StateFile {
  format: number;
  /** Version of the package that wrote it. */
  version: string;
  progress: Progress;
  /** Every other file of the checkpoint, by name. */
  files: Readonly<Record<string, FileRecord>>;
  /** Of the JSON of everything above, without white space. */
  sha256: string;
}

const count = z.int().nonnegative();

/** The digest tells damage from what was written, not who wrote it: a run's folder may come from elsewhere. */
const stateSchema = z.object({
  progress: z.object({
    step: count,
    evaluated: z.boolean(),
    evaluationsSinceBest: count,
    seconds: z.number().nonnegative(),
    best: z.object({ step: count, model: z.string(), dev: z.record(z.string(), z.unknown()) }).optional(),
    strategy: z.record(z.string(), z.object({ count, scores: z.array(z.number().nullable()).optional() })),
    data: z.record(z.string(), z.string()),
    model: z.string(),
  }),
  // Files of the checkpoint's own folder.
  files: z.record(z.string().regex(/^[\w-]+\.safetensors$/), z.object({ bytes: count, sha256: z.string() })),
});

/** Gathers the record of a file from its pieces. */
export class FileRecorder {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  readonly add = (piece: Uint8Array): void => {
    this.#hash.update(piece);
    this.#bytes += piece.length;
  };

  /** Of all pieces; nothing can be added afterwards. */
  finish(): FileRecord {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** Writes state.json, the last file of a checkpoint, and flushes it to the disk. */
export async function writeState(
  folder: string,
  progress: Progress,
  files: StateFile['files'],
): Promise<void> {
  const content = { format: formatVersion, version: packageVersion(), progress, files };
  const state: StateFile = { ...content, sha256: digestOf(content) };
  await writeFile(join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`, { flush: true });
}

/**
 * Reads state.json and checks that every file of the checkpoint is what was written.
 * @returns what is wrong, as a clause that names the file, where something is
 */
export async function readVerified(folder: string): Promise<{ progress: Progress } | { fault: string }> {
  let state: Partial<StateFile>;
  try {
    state = JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')) ?? {};
    JSON.stringify(state); // as the digest is made of it
  } catch (error) {
    if (error instanceof RangeError) return { fault: 'state.json is nested too deep' };
    if (error instanceof SyntaxError) return { fault: `state.json is not valid JSON (${error.message})` };
    return { fault: faultOf('state.json', error) };
  }
  const { sha256, ...content } = state;
  if (content.format !== formatVersion) {
    const writer = typeof content.version === 'string' ? content.version : 'unknown';
    return {
      fault: `state.json: expected format ${formatVersion}, found ${JSON.stringify(content.format)} (written by version ${writer})`,
    };
  }
  const { progress, files } = content;
  if (sha256 !== digestOf(content) || !progress || !files) {
    return { fault: 'state.json is not what was written (its sha256 does not fit)' };
  }
  if (!stateSchema.safeParse({ progress, files }).success) {
    return { fault: 'state.json does not say what a checkpoint does' };
  }
  for (const [name, written] of Object.entries(files)) {
    const fault = await faultOfFile(folder, name, written);
    if (fault !== undefined) return { fault };
  }
  return { progress };
}

async function faultOfFile(folder: string, name: string, written: FileRecord): Promise<string | undefined> {
  const path = join(folder, name);
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return `${name} is not a file`;
    const { size } = stats;
    if (size !== written.bytes) return `${name}: expected ${written.bytes} bytes, found ${size}`;
    const recorder = new FileRecorder();
    for await (const piece of createReadStream(path, { highWaterMark: Math.min(PIECE, size + 1) }))
      recorder.add(piece);
    const found = recorder.finish().sha256;
    return found === written.sha256 ? undefined : `${name} is not what was written (its sha256 does not fit)`;
  } catch (error) {
    return faultOf(name, error);
  }
}

/** Bytes that are read and hashed at a time: few enough not to hold up the event loop. */
const PIECE = 4 * 2 ** 20;

function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function faultOf(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `${name} is missing` : `${name} cannot be read: ${message}`;
}
