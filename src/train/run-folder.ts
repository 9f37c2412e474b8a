import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { access, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SesdError } from '../errors.ts';
import { makeFolder } from '../export/make-folder.ts';
import type { ResumeEvent, TrainEvent } from './events.ts';

/** What a run leaves in its folder, and the runs of avg and vote; anything else there is not ours. */
const entries = ['config.yaml', 'metrics.jsonl', 'summary.json', 'report.html', 'checkpoints', 'model'];
const isOurs = (name: string): boolean => entries.includes(name) || /^run-\d+$/.test(name);

/** The output folder of one run: config.yaml, metrics.jsonl, summary.json, checkpoints/ and model/. */
export class RunFolder {
  readonly path: string;
  #log: number | undefined;

  /** @param path made from the time when absent */
  constructor(path: string | undefined) {
    this.path = path ?? join('runs', timeName(new Date()));
  }

  get model(): string {
    return join(this.path, 'model');
  }

  /**
   * Checks, before any work is done, that the run can be kept here. Changes nothing.
   * @throws SesdError SESD_OUTPUT when the folder cannot be written, or holds a run and `force` is not set
   */
  async check({ force }: { force: boolean }): Promise<void> {
    const names = await readdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw this.#unwritable(error);
    });
    const taken = names?.find(isOurs);
    if (taken && !force) {
      throw new SesdError('SESD_OUTPUT', `${this.path} already holds a run (it has ${taken}).`, {
        hint: `Go on with it by --resume ${this.path}, replace it with --force, or choose another --output.`,
      });
    }
    await access(names ? this.path : await existingParent(this.path), constants.W_OK).catch((error) => {
      throw this.#unwritable(error);
    });
  }

  /**
   * Makes the folder and starts config.yaml and metrics.jsonl; with `force` what an earlier run left goes first.
   * @param config the resolved options as YAML
   * @throws SesdError SESD_OUTPUT
   */
  async begin(config: string, { force }: { force: boolean }): Promise<void> {
    await this.check({ force });
    await this.#writing(async () => {
      await makeFolder(this.path);
      for (const name of (await readdir(this.path)).filter(isOurs))
        await rm(join(this.path, name), { recursive: true, force: true });
      await writeFile(join(this.path, 'config.yaml'), config, { flag: 'wx' });
      this.#log = openSync(join(this.path, 'metrics.jsonl'), 'ax');
    });
  }

  /** Opens the folder of an interrupted run. */
  async reopen(): Promise<void> {
    await this.#writing(async () => {
      this.#log = openSync(join(this.path, 'metrics.jsonl'), 'a');
    });
  }

  /** Opens the folder with an empty metrics.jsonl, for a run that writes it again from what its parts hold. */
  async rewrite(): Promise<void> {
    await this.#writing(async () => {
      this.#log = openSync(join(this.path, 'metrics.jsonl'), 'w');
    });
  }

  /** Appends one line to metrics.jsonl. When a run is resumed, what came after its checkpoint goes first. */
  log(event: TrainEvent): void {
    try {
      if (event.type === 'resume') this.#rewind(event);
      if (this.#log !== undefined) writeSync(this.#log, `${JSON.stringify(event)}\n`);
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  #rewind(resume: ResumeEvent): void {
    const path = join(this.path, 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => precedes(line, resume));
    this.close();
    writeFileSync(`${path}.partial`, lines.map((line) => `${line}\n`).join(''), { flush: true });
    renameSync(`${path}.partial`, path);
    this.#log = openSync(path, 'a');
  }

  /** Makes way for the model of a run that is finished again. */
  async clearModel(): Promise<void> {
    await this.#writing(() => rm(this.model, { recursive: true, force: true }));
  }

  async writeSummary(summary: object): Promise<void> {
    const path = join(this.path, 'summary.json');
    await this.#writing(async () => {
      await writeFile(`${path}.partial`, `${JSON.stringify(summary, null, 2)}\n`, { flush: true });
      await rename(`${path}.partial`, path);
    });
  }

  close(): void {
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
    return new SesdError('SESD_OUTPUT', `The output folder ${this.path} cannot be written: ${reason}`, {
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
