import {
  closeSync,
  constants,
  fsync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { access, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SesdError } from '../errors.ts';
import { makeFolder } from '../export/make-folder.ts';
import { writeFileAtomically } from '../onnx/atomic-write.ts';
import type { ConfigEvent, ResumeEvent, TrainEvent } from './events.ts';
import { lockFolder } from './folder-lock.ts';
import { syncFolder } from './sync-folder.ts';

/** What a run leaves in its folder, and the runs of avg and vote; anything else there is not ours. */
const entries = ['config.yaml', 'metrics.jsonl', 'summary.json', 'report.html', 'checkpoints', 'model'];
const isOurs = (name: string): boolean => entries.includes(name) || /^run-\d+$/.test(name);

/**
 * The output folder of one run: config.yaml, metrics.jsonl, summary.json, checkpoints/ and model/. Only one
 * process at a time has it open.
 */
export class RunFolder {
  #path: string;
  /** Whether the path was made from the time, and another may take its place. */
  #unnamed: boolean;
  /** A folder that was made but holds nothing yet. */
  #empty: string | undefined;
  #log: number | undefined;
  #unlock = () => {};

  /** @param path made from the time when absent */
  constructor(path: string | undefined) {
    this.#unnamed = path === undefined;
    this.#path = path ?? join('runs', timeName(new Date()));
  }

  get path(): string {
    return this.#path;
  }

  get model(): string {
    return join(this.#path, 'model');
  }

  /**
   * Checks, before any work is done, that the run can be kept here, and makes the folder if its name is ours to
   * choose: one that nobody else has. Changes nothing else.
   * @throws SesdError SESD_OUTPUT when the folder cannot be written, or holds a run and `force` is not set
   */
  async check({ force }: { force: boolean }): Promise<void> {
    if (this.#unnamed) return await this.#writing(() => this.#makeUnnamed());
    const names = await readdir(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw this.#unwritable(error);
    });
    const taken = names?.find(isOurs);
    if (taken && !force) {
      throw new SesdError('SESD_OUTPUT', `${this.#path} already holds a run (it has ${taken}).`, {
        hint: `Go on with it by --resume ${this.#path}, replace it with --force, or choose another --output.`,
      });
    }
    await access(names ? this.#path : await existingParent(this.#path), constants.W_OK).catch((error) => {
      throw this.#unwritable(error);
    });
  }

  /**
   * Makes the folder and starts metrics.jsonl and config.yaml; with `force` what an earlier run left goes
   * first. config.yaml comes last: where there is one, the run can be resumed.
   * @param options the resolved options as YAML
   * @param config the first line of metrics.jsonl
   * @throws SesdError SESD_OUTPUT
   */
  async begin(options: string, config: ConfigEvent, { force }: { force: boolean }): Promise<void> {
    await this.#writing(async () => {
      await makeFolder(this.#path);
      this.#unlock = await lockFolder(this.#path);
      await this.check({ force });
      for (const name of (await readdir(this.#path)).filter(isOurs))
        await rm(join(this.#path, name), { recursive: true, force: true });
      this.#empty = undefined;
      this.#log = openSync(join(this.#path, 'metrics.jsonl'), 'ax');
      this.log(config);
      await this.flushLog();
      await writeFileAtomically(join(this.#path, 'config.yaml'), options);
    });
  }

  /** Runs that start in the same second get a number. */
  async #makeUnnamed(): Promise<void> {
    await makeFolder(dirname(this.#path));
    const first = this.#path;
    for (let number = 2; this.#unnamed; number++) {
      try {
        await mkdir(this.#path);
        this.#unnamed = false;
        this.#empty = this.#path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        this.#path = `${first}-${number}`;
      }
    }
  }

  /**
   * Opens the folder of an interrupted run.
   * @throws SesdError SESD_OUTPUT
   */
  async reopen(): Promise<void> {
    await this.#writing(async () => {
      this.#unlock = await lockFolder(this.#path);
      this.#log = openSync(join(this.#path, 'metrics.jsonl'), 'a');
    });
  }

  /**
   * Opens the folder for a run that writes metrics.jsonl again from what its parts hold.
   * @param config its first line
   */
  async rewrite(config: ConfigEvent): Promise<void> {
    await this.#writing(async () => {
      this.#unlock = await lockFolder(this.#path);
      this.#log = openSync(join(this.#path, 'metrics.jsonl'), 'w');
      this.log(config);
    });
  }

  /** Appends one line to metrics.jsonl. When a run is resumed, what came after its checkpoint goes first. */
  log(event: TrainEvent): void {
    try {
      if (event.type === 'resume') this.#rewind(event);
      if (this.#log !== undefined) writeFileSync(this.#log, `${JSON.stringify(event)}\n`);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  #rewind(resume: ResumeEvent): void {
    const path = join(this.#path, 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => precedes(line, resume));
    this.#closeLog();
    try {
      writeFileSync(`${path}.partial`, lines.map((line) => `${line}\n`).join(''), { flush: true });
      renameSync(`${path}.partial`, path);
    } catch (error) {
      rmSync(`${path}.partial`, { force: true });
      throw error;
    }
    this.#log = openSync(path, 'a');
  }

  /** Resolves when what was logged is on the disk. */
  async flushLog(): Promise<void> {
    if (this.#log !== undefined) await promisify(fsync)(this.#log);
    await syncFolder(this.#path); // metrics.jsonl may have been made, or put in its place, since
  }

  /** Makes way for the model of a run that is finished again. */
  async clearModel(): Promise<void> {
    await this.#writing(() => rm(this.model, { recursive: true, force: true }));
  }

  async writeSummary(summary: object): Promise<void> {
    await this.#writing(() =>
      writeFileAtomically(join(this.#path, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`),
    );
  }

  close(): void {
    this.#closeLog();
    this.#unlock();
    try {
      if (this.#empty !== undefined) rmdirSync(this.#empty);
    } catch {
      // It is not ours any more, or no longer empty.
    }
    this.#empty = undefined;
  }

  #closeLog(): void {
    if (this.#log !== undefined) closeSync(this.#log);
    this.#log = undefined;
  }

  async #writing(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw error instanceof SesdError ? error : this.#unwritable(error);
    }
  }

  #unwritable(cause: unknown): SesdError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new SesdError('SESD_OUTPUT', `The output folder ${this.#path} cannot be written: ${reason}`, {
      hint: 'Name a folder that can be written with --output.',
      cause,
    });
  }
}

/** Whether a line of metrics.jsonl was written before the checkpoint that is resumed from. */
function precedes(line: string, { step, evaluated }: ResumeEvent): boolean {
  let event: TrainEvent;
  try {
    event = JSON.parse(line);
  } catch {
    return false; // cut short when the process was killed, or the empty end of the file
  }
  if (event.type === 'done' || (event.type === 'eval' && event.final)) return false;
  if (!('step' in event)) return true;
  const done = event.type === 'step' || event.type === 'checkpoint' || evaluated;
  return event.step < step || (event.step === step && done);
}

/** The folder itself, or the nearest above it that is there. */
export async function existingParent(path: string): Promise<string> {
  let parent = resolve(path);
  while (!(await stat(parent).catch(() => undefined)) && dirname(parent) !== parent) parent = dirname(parent);
  return parent;
}

/** `2026-03-01T12-30-45`: sorts by time and is a file name everywhere. */
function timeName(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(':', '-');
}
