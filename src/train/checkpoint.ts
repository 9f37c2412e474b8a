import { readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamedArray, Parameter } from '../engine/engine.ts';
import { readWeightsFile, weightsFileSize, writeWeightsFile } from '../engine/weights-file.ts';
import { SesdError } from '../errors.ts';
import { makeFolder } from '../export/make-folder.ts';
import { formatBytes } from './format-bytes.ts';
import { resumeCommand } from './resume-command.ts';
import {
  type FileRecord,
  FileRecorder,
  type Progress,
  readVerified,
  writeState,
} from './stored-checkpoint.ts';
import { syncFolder } from './sync-folder.ts';

/** One set of arrays to store, in the order of the engine's parameters. */
export interface ArraySet {
  name: string;
  read(): AsyncIterable<NamedArray>;
}

export interface StoredCheckpoint {
  progress: Progress;
  read(name: string): AsyncIterable<NamedArray>;
}

export interface CheckpointOptions {
  /** Newest checkpoints that are kept. */
  keep: number;
  /** Flushes the run's log to the disk: called before a checkpoint counts, which so never knows more than the log. */
  flushLog?: () => Promise<void>;
}

/**
 * The checkpoints of one run: `checkpoints/step-N/` with state.json and one safetensors file a set. A
 * checkpoint is written under another name, flushed to the disk and renamed, so one that is there is whole;
 * state.json holds the digest of each file, so one that was damaged later is known to be.
 */
export class CheckpointStore {
  readonly #runFolder: string;
  readonly #parameters: readonly Parameter[];
  readonly #options: CheckpointOptions;
  /** Steps whose checkpoint was found damaged: as good as none. */
  readonly #damaged = new Set<number>();

  constructor(runFolder: string, parameters: readonly Parameter[], options: CheckpointOptions) {
    this.#runFolder = runFolder;
    this.#parameters = parameters;
    this.#options = options;
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
    const { step } = progress;
    const path = this.#path(step);
    try {
      if ((await this.#usable()).includes(step)) return { path, written: false };
      await makeFolder(this.#folder);
      await this.#removePartial();
      await this.#checkSpace(step, sets.length);
      await this.#write(path, progress, sets);
      this.#damaged.delete(step);
      await this.#removeOld();
      return { path, written: true };
    } catch (cause) {
      await this.#removePartial().catch(() => {});
      if (cause instanceof SesdError) throw cause;
      throw this.#unwritable(step, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  async #write(path: string, progress: Progress, sets: readonly ArraySet[]): Promise<void> {
    const partial = join(this.#folder, `.step-${progress.step}.partial`);
    await makeFolder(partial);
    const files: Record<string, FileRecord> = {};
    for (const { name, read } of sets) {
      const recorder = new FileRecorder();
      await writeWeightsFile(join(partial, fileName(name)), this.#parameters, read(), recorder.add);
      files[fileName(name)] = recorder.finish();
    }
    await writeState(partial, progress, files);
    await syncFolder(partial);
    await this.#options.flushLog?.();
    await rm(path, { recursive: true, force: true }); // there, if at all, only as a damaged one
    await rename(partial, path);
    await syncFolder(this.#folder);
  }

  /** A full disk is found out before it is full: other programs may need what is left. */
  async #checkSpace(step: number, sets: number): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#folder);
    if (blocks === 0) return; // some network and virtual file systems do not say
    const needed = sets * roundUp(weightsFileSize(this.#parameters), bsize) + STATE_BYTES;
    const free = bavail * bsize;
    if (needed <= free) return;
    const { keep } = this.#options;
    throw this.#unwritable(
      step,
      `it needs ${formatBytes(needed)}, and ${formatBytes(free)} are free (--keep ${keep} needs ` +
        `${formatBytes((keep + 1) * needed)} in all while one is written)`,
    );
  }

  #unwritable(step: number, reason: string, cause?: unknown): SesdError {
    const message = `The checkpoint of step ${step} cannot be written to ${this.#folder}: ${reason}.`;
    return new SesdError('SESD_OUTPUT', message, cause === undefined ? {} : { cause });
  }

  /**
   * The newest checkpoint whose files are all what was written, and what is wrong with newer ones. Undefined
   * where there is none at all: the run was interrupted before its first.
   * @throws SesdError SESD_CHECKPOINT when there are some, but all are damaged
   */
  async newest(): Promise<{ checkpoint: StoredCheckpoint | undefined; faults: string[] }> {
    const faults: string[] = [];
    for (const step of (await this.#steps()).reverse()) {
      const folder = this.#path(step);
      const found = await readVerified(folder);
      if ('progress' in found) {
        const read = (name: string) => readWeightsFile(join(folder, fileName(name)), this.#parameters);
        return { checkpoint: { progress: found.progress, read }, faults };
      }
      this.#damaged.add(step);
      faults.push(`${folder}: ${found.fault}`);
    }
    if (faults.length === 0) return { checkpoint: undefined, faults };
    throw new SesdError('SESD_CHECKPOINT', `No checkpoint can be used: ${faults.join('; ')}.`, {
      hint: 'Restore one from a copy, or start the run anew, with --force to replace what the folder holds.',
    });
  }

  #path(step: number): string {
    return join(this.#folder, `step-${step}`);
  }

  /** Steps with a checkpoint, ascending. */
  async #steps(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  async #usable(): Promise<number[]> {
    return (await this.#steps()).filter((step) => !this.#damaged.has(step));
  }

  /** What a process that was killed left half written. */
  async #removePartial(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (/^\.step-\d+\.partial$/.test(name))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #removeOld(): Promise<void> {
    const old = (await this.#usable()).slice(0, -this.#options.keep);
    for (const step of [...old, ...this.#damaged])
      await rm(this.#path(step), { recursive: true, force: true });
  }
}

/** More than a state.json takes. */
const STATE_BYTES = 2 ** 16;

function fileName(set: string): string {
  return `${set}.safetensors`;
}

function roundUp(bytes: number, block: number): number {
  return Math.ceil(bytes / block) * block;
}
