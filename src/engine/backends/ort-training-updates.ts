import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArenaSlice, NativeAddon, NativeArena, NativeTrainingSession, RunResult } from '../contract.ts';
import type { Averaging, NamedArray, UpdateOptions } from '../engine.ts';
import { adamW } from './adamw.ts';
import { readParameters, settleAverages, slices } from './arena-weights.ts';
import { momentsIn } from './ort-training-checkpoint.ts';
import { gatheredGradient, SQUARED_NORM } from './ort-training-models.ts';
import type { ResidentWeights } from './resident-weights.ts';

/** How the gradients of training steps become new weights. */
export interface Updates {
  /** What a training step is to put in arenas, and to give back. */
  readonly outputs: readonly ArenaSlice[];
  readonly fetch: readonly string[];
  /** A training step was made. */
  gathered(result: RunResult): void;
  /** The student's arena has the new weights afterwards. */
  update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray>;
  release(): void;
}

/** Gradients come out of the session, and the addon's AdamW takes them: any number of groups, averages on the way. */
export class OwnUpdates implements Updates {
  readonly gradients: NativeArena;
  readonly outputs: readonly ArenaSlice[];
  readonly fetch = [];
  readonly #addon: NativeAddon;
  readonly #student: ResidentWeights;
  readonly #m: NativeArena;
  readonly #v: NativeArena;

  private constructor(
    addon: NativeAddon,
    student: ResidentWeights,
    { gradients, m, v }: Record<'gradients' | 'm' | 'v', NativeArena>,
  ) {
    this.#addon = addon;
    this.#student = student;
    this.gradients = gradients;
    this.#m = m;
    this.#v = v;
    const { layout } = student;
    this.outputs = slices([...layout.places.keys()], { arena: gradients, layout }).map((slice) => ({
      ...slice,
      name: gatheredGradient(slice.name),
    }));
  }

  /** @param moments to go on from; they belong to the updates then */
  static async create(
    addon: NativeAddon,
    student: ResidentWeights,
    moments: { m: NativeArena | undefined; v: NativeArena | undefined },
  ): Promise<OwnUpdates> {
    const zeros = () => addon.createArena(student.layout.length);
    return new OwnUpdates(addon, student, {
      gradients: await zeros(),
      m: moments.m ?? (await zeros()),
      v: moments.v ?? (await zeros()),
    });
  }

  gathered(): void {}

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const arenas = { weights: this.#student.arena, gradients: this.gradients, m: this.#m, v: this.#v };
    this.#student.touch();
    return { gradNorm: await this.#addon.adamw(await adamW(arenas, this.#student.layout, options)) };
  }

  readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    return readParameters(which === 'm' ? this.#m : this.#v, this.#student.layout);
  }

  release(): void {
    for (const arena of [this.gradients, this.#m, this.#v]) arena.release();
  }
}

/** The session's own optimizer, which treats all parameters alike. */
export class SessionUpdates implements Updates {
  readonly outputs = [];
  readonly fetch = [SQUARED_NORM];
  readonly #addon: NativeAddon;
  readonly #session: NativeTrainingSession;
  readonly #student: ResidentWeights;
  #squaredNorm = 0;

  constructor(addon: NativeAddon, session: NativeTrainingSession, student: ResidentWeights) {
    this.#addon = addon;
    this.#session = session;
    this.#student = student;
  }

  gathered({ fetched }: RunResult): void {
    this.#squaredNorm = Number(fetched[SQUARED_NORM]!.data[0]);
  }

  async update({ learningRate, before = [], after = [] }: UpdateOptions): Promise<{ gradNorm: number }> {
    const gradNorm = Math.sqrt(this.#squaredNorm);
    if (!Number.isFinite(gradNorm)) return { gradNorm };
    await this.#average(before);
    await this.#session.optimizerStep(learningRate);
    this.#student.touchInSession();
    await this.#average(after);
    return { gradNorm };
  }

  async #average(averages: readonly Averaging[]): Promise<void> {
    if (averages.length === 0) return;
    await this.#student.settle();
    await this.#addon.average(this.#student.arena, await settleAverages(averages));
  }

  /** The API gives its moments out in a file only. */
  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    const file = join(tmpdir(), `sesd-train-${randomUUID()}`);
    try {
      await this.#session.save(file);
      const parameters = [...this.#student.layout.places.values()].map(({ parameter }) => parameter);
      yield* momentsIn(await readFile(file), which, parameters);
    } finally {
      await rm(file, { force: true });
    }
  }

  release(): void {}
}
