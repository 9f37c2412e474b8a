import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamedArray, Parameter } from '../engine/engine.ts';
import { readWeightsFile, writeWeightsFile } from '../engine/weights-file.ts';
import type { EnsembleState } from '../ensemble/ensemble.ts';
import { SesdError } from '../errors.ts';
import { makeFolder } from '../export/make-folder.ts';
import type { BestRecord } from './best-weights.ts';

/** Everything of a run's state that is not an array. */
export interface Progress {
  /** Updates done. */
  step: number;
  /** Whether the evaluation that is due after `step`, if one is, has been done. */
  evaluated: boolean;
  evaluationsSinceBest: number;
  best?: BestRecord;
  /** The strategy's ensembles, beside their weights. */
  strategy: Readonly<Record<string, EnsembleState>>;
  /** Digest of the training examples: a resumed run must see the same. */
  data: string;
}

/** One set of arrays to store, in the order of the engine's parameters. */
export interface ArraySet {
  name: string;
  read(): AsyncIterable<NamedArray>;
}

export interface StoredCheckpoint {
  progress: Progress;
  read(name: string): AsyncIterable<NamedArray>;
}

const formatVersion = 1;

/**
 * The checkpoints of one run: `checkpoints/step-N/` with state.json and one safetensors file a set. A
 * checkpoint is written under another name, flushed to the disk and renamed, so one that is there is whole.
 */
export class CheckpointStore {
  readonly #runFolder: string;
  readonly #parameters: readonly Parameter[];
  readonly #keep: number;

  constructor(runFolder: string, parameters: readonly Parameter[], keep: number) {
    this.#runFolder = runFolder;
    this.#parameters = parameters;
    this.#keep = keep;
  }

  /** The command that goes on from the newest checkpoint. */
  get resumeCommand(): string {
    return resumeCommand(this.#runFolder);
  }

  get #folder(): string {
    return join(this.#runFolder, 'checkpoints');
  }

  /**
   * Stores a checkpoint, unless the step has one, and removes the oldest beyond those to keep.
   * @throws SesdError SESD_OUTPUT when it cannot be written; earlier checkpoints stay
   */
  async save(progress: Progress, sets: readonly ArraySet[]): Promise<{ path: string; written: boolean }> {
    const path = join(this.#folder, `step-${progress.step}`);
    const partial = join(this.#folder, `.step-${progress.step}.partial`);
    try {
      if ((await this.#steps()).includes(progress.step)) return { path, written: false };
      await rm(partial, { recursive: true, force: true });
      await makeFolder(partial);
      for (const { name, read } of sets)
        await writeWeightsFile(join(partial, `${name}.safetensors`), this.#parameters, read());
      const state = { format: formatVersion, ...progress };
      await writeFile(join(partial, 'state.json'), `${JSON.stringify(state, null, 2)}\n`, { flush: true });
      await syncFolder(partial);
      await rename(partial, path);
      await syncFolder(this.#folder);
      await this.#removeOld();
      return { path, written: true };
    } catch (cause) {
      await rm(partial, { recursive: true, force: true }).catch(() => {});
      throw new SesdError(
        'SESD_OUTPUT',
        `The checkpoint of step ${progress.step} cannot be written to ${this.#folder}: ${reason(cause)}`,
        { hint: `Free some space or check the permissions, then go on with ${this.resumeCommand}.`, cause },
      );
    }
  }

  /**
   * The newest checkpoint.
   * @throws SesdError SESD_CHECKPOINT when there is none or it cannot be used
   */
  async newest(): Promise<StoredCheckpoint> {
    const step = (await this.#steps()).at(-1);
    if (step === undefined) {
      throw new SesdError('SESD_CHECKPOINT', `${this.#folder} holds no checkpoint to resume from.`, {
        hint: 'Start the run anew, with --force to replace what the folder holds.',
      });
    }
    const folder = join(this.#folder, `step-${step}`);
    const state = join(folder, 'state.json');
    let stored: Progress & { format: number };
    try {
      stored = JSON.parse(await readFile(state, 'utf8'));
    } catch (cause) {
      throw new SesdError('SESD_CHECKPOINT', `${state} cannot be read: ${reason(cause)}`, { cause });
    }
    const { format, ...progress } = stored;
    if (format !== formatVersion) {
      throw new SesdError('SESD_CHECKPOINT', `${state}: expected format ${formatVersion}, found ${format}.`, {
        hint: 'Resume with the version of sesd-train that wrote it.',
      });
    }
    return {
      progress,
      read: (name) => readWeightsFile(join(folder, `${name}.safetensors`), this.#parameters),
    };
  }

  /** Steps with a whole checkpoint, ascending. */
  async #steps(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  async #removeOld(): Promise<void> {
    for (const step of (await this.#steps()).slice(0, -this.#keep))
      await rm(join(this.#folder, `step-${step}`), { recursive: true, force: true });
  }
}

/** The command that goes on with the run in a folder. */
export function resumeCommand(runFolder: string): string {
  const plain = /^[\w./-]+$/.test(runFolder);
  return `npx sesd-train --resume ${plain ? runFolder : JSON.stringify(runFolder)}`;
}

/** Flushes a folder's entries; without it a renamed file may be lost with the power. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
