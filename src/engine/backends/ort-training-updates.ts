import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArenaSlice, NativeAddon, NativeArena, NativeTrainingSession, RunResult } from '../contract.ts';
import type { NamedArray, UpdateOptions } from '../engine.ts';
import { adamW } from './adamw.ts';
import { type Float32Weights, nativeAveraging, readParameters, slices } from './arena-weights.ts';
import { momentsIn } from './ort-training-checkpoint.ts';
import { gatheredGradient, SQUARED_NORM } from './ort-training-models.ts';

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
  readonly #student: Float32Weights;
  readonly #m: NativeArena;
  readonly #v: NativeArena;

  private constructor(
    addon: NativeAddon,
    student: Float32Weights,
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
    student: Float32Weights,
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
    return { gradNorm: await this.#addon.adamw(adamW(arenas, this.#student.layout, options)) };
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
  readonly #student: Float32Weights;
  #squaredNorm = 0;

  constructor(addon: NativeAddon, session: NativeTrainingSession, student: Float32Weights) {
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
    const { arena, layout } = this.#student;
    if (before.length > 0) await this.#addon.average(arena, before.map(nativeAveraging));
    await this.#session.optimizerStep(learningRate);
    await this.#session.read(slices([...layout.places.keys()], this.#student));
    if (after.length > 0) await this.#addon.average(arena, after.map(nativeAveraging));
    return { gradNorm };
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
