import { SesdError } from '../../errors.ts';
import type {
  HostTensor,
  NativeAddon,
  NativeArena,
  NativeStash,
  NativeTrainingSession,
  RunResult,
  SessionOptions,
} from '../contract.ts';
import type { NamedArray, Parameter, UpdateOptions } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { ArenaEngine, type ModelState } from './arena-engine.ts';
import { readParameters, slices, type WeightSlice, writeParameters } from './arena-weights.ts';
import { type TrainingValues, trainingCheckpoint } from './ort-training-checkpoint.ts';
import {
  type OneGroup,
  optimizerModel,
  type SessionModels,
  type TrainingOutputs,
} from './ort-training-models.ts';
import { OwnUpdates, SessionUpdates, type Updates } from './ort-training-updates.ts';
import { ResidentWeights } from './resident-weights.ts';
import { takingModel } from './sessions.ts';

/** What only training needs, made at the first step. */
interface TrainingState {
  session: NativeTrainingSession;
  updates: Updates;
}

/** Moments to go on from, after update `step`. */
interface Restored {
  m?: NativeArena;
  v?: NativeArena;
  step: number;
}

/** What a training step is given, and what it is to give back beside gradients. */
interface TrainingStep {
  feeds: Record<string, HostTensor>;
  stash?: NativeStash;
  fetch?: readonly string[];
}

/** How the session of an engine computes. */
export interface SessionSetup {
  /** How it updates the weights; undefined where the addon's AdamW does. */
  group: OneGroup | undefined;
  options: SessionOptions;
}

/** What engines on a session of the training API share: the session, the gradients in it, updates of the weights. */
export abstract class TrainingSessionEngine extends ArenaEngine {
  declare readonly student: ResidentWeights;
  readonly #setup: SessionSetup;
  #training: Promise<TrainingState> | undefined;
  #restored: Restored = { step: 0 };
  #gathered = 0;

  constructor(
    addon: NativeAddon,
    plan: TrainingPlan,
    { student, ...others }: ModelState,
    setup: SessionSetup,
  ) {
    super(addon, plan, { student: new ResidentWeights(addon, student.layout, student.arena), ...others });
    this.#setup = setup;
  }

  get group(): OneGroup | undefined {
    return this.#setup.group;
  }

  protected abstract models(out: Pick<TrainingOutputs, 'gradients'>): SessionModels;

  /** Parameters of the session that it does not train. */
  protected frozenParameters(): readonly Parameter[] {
    return this.plan.frozen;
  }

  /** Where the values of these lie. */
  protected frozenSlices(): WeightSlice[] {
    return this.frozen ? slices([...this.frozen.layout.places.keys()], this.frozen) : [];
  }

  protected async session(): Promise<NativeTrainingSession> {
    return (await this.#trainingState()).session;
  }

  /** Adds to the gradients since the last update. */
  protected async gather(
    { feeds, stash, fetch = [] }: TrainingStep,
    signal?: AbortSignal,
  ): Promise<RunResult> {
    const { session, updates } = await this.#trainingState();
    if (this.#gathered === 0) await session.resetGradients();
    const request = { feeds, ...(stash && { stash }), fetch: [...updates.fetch, ...fetch] };
    const result = await step(signal, () => session.trainStep(request, updates.outputs));
    updates.gathered(result);
    this.#gathered++;
    return result;
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { updates } = await this.#trainingState();
    this.#gathered = 0;
    return updates.update(options);
  }

  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    yield* (await this.#trainingState()).updates.readMoments(which);
  }

  /** A session takes moments in only when it is made: the one there is goes. */
  async writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>, step: number): Promise<void> {
    await this.leaveSession();
    this.#dropTraining();
    const restored = this.#restored;
    restored.step = step;
    restored[which] ??= await this.addon.createArena(this.layout.length);
    await writeParameters(restored[which], this.layout, values);
  }

  /** The session is to go: what only it has is fetched. */
  protected async leaveSession(): Promise<void> {
    await this.student.leave();
  }

  /** The gradients gathered since the last update, for tests and probes. */
  async *readGradients(): AsyncIterable<NamedArray> {
    const { updates } = await this.#trainingState();
    if (!(updates instanceof OwnUpdates)) throw new Error('the gradients stay in the session');
    yield* readParameters(updates.gradients, this.layout);
  }

  override close(): void {
    this.#dropTraining();
    this.#dropRestored();
    super.close();
  }

  #trainingState(): Promise<TrainingState> {
    this.#training ??= this.#createTraining();
    return this.#training;
  }

  async #createTraining(): Promise<TrainingState> {
    const { parameters } = this.plan;
    const { m, v } = this.#restored;
    const values = this.group && m && v ? await this.#values(m, v, this.#restored.step) : undefined;
    const models = {
      ...this.models({ gradients: this.group === undefined }),
      optimizer: optimizerModel(this.group),
      checkpoint: trainingCheckpoint({ parameters, frozen: this.frozenParameters() }, values),
    };
    const { options } = this.#setup;
    const make = () => this.addon.createTrainingSession(models, options);
    const session = await takingModel('training graph', make);
    this.student.enter(session, '');
    if (!values) {
      const trained = slices([...this.layout.places.keys()], this.student);
      await session.initialize([...trained, ...this.frozenSlices()]);
    }
    if (this.group) {
      this.#dropRestored();
      return { session, updates: new SessionUpdates(this.addon, session, this.student) };
    }
    this.#restored = { step: 0 };
    return { session, updates: await OwnUpdates.create(this.addon, this.student, { m, v }) };
  }

  /** What the session's optimizer is to go on from. */
  async #values(m: NativeArena, v: NativeArena, step: number): Promise<TrainingValues> {
    const weights = await collect(this.student.read());
    for (const { name, arena, offset, dims } of this.frozenSlices()) {
      weights.set(
        name,
        await arena.read(
          offset,
          dims.reduce((product, dim) => product * dim, 1),
        ),
      );
    }
    return {
      weights,
      m: await collect(readParameters(m, this.layout)),
      v: await collect(readParameters(v, this.layout)),
      step,
    };
  }

  #dropTraining(): void {
    this.#gathered = 0;
    this.#training?.then(
      ({ session, updates }) => {
        session.release();
        updates.release();
      },
      () => {}, // never made: nothing to free
    );
    this.#training = undefined;
  }

  #dropRestored(): void {
    this.#restored.m?.release();
    this.#restored.v?.release();
    this.#restored = { step: 0 };
  }
}

async function collect(values: AsyncIterable<NamedArray>): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for await (const { name, data } of values) all.set(name, data);
  return all;
}

/** A step of the session. The runtime ends none early: the signal takes effect when it is done. */
export async function step<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  const check = () => {
    if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.');
  };
  check();
  const result = await run().catch((cause: Error) => {
    throw new SesdError('SESD_RUNTIME', `ONNX Runtime failed: ${cause.message}`, { cause });
  });
  check();
  return result;
}
