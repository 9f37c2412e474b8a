import { SesdError } from '../../errors.ts';
import type {
  HostTensor,
  NativeArena,
  NativeStash,
  NativeTrainingSession,
  RuntimeInfo,
} from '../contract.ts';
import type { Batch, ForwardOptions, Logits, NamedArray, UpdateOptions, Weights } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { adamW } from './adamw.ts';
import { ArenaEngine, openModelState } from './arena-engine.ts';
import { Float32Weights, readParameters, slices, writeParameters } from './arena-weights.ts';
import { feedBatch, feedDlogits, feedDropoutKey } from './feeds.ts';
import { loadAddon, runtimeLibrary } from './load-addon.ts';
import { type OnnxRuntimeOptions, openRuntime } from './onnx-runtime.ts';
import { nominalCheckpoint } from './ort-training-checkpoint.ts';
import { gatheredGradient, trainingModels } from './ort-training-models.ts';
import { pick, takingModel, toLogits } from './sessions.ts';

/**
 * Trains a plan in a session of ONNX Runtime's training API. The objective stays here: the session's eval model is the
 * forward pass, its training model the backward pass.
 * @throws SesdError SESD_BAD_MODEL when the runtime does not take a graph, SESD_NATIVE_LOAD when it has no training API
 */
export async function createTrainingEngine(
  plan: TrainingPlan,
  options: OnnxRuntimeOptions,
): Promise<OrtTrainingEngine> {
  const addon = loadAddon();
  requireTraining(openRuntime(options), options.library ?? runtimeLibrary());
  const { student, ...others } = await openModelState(addon, plan);
  const noted = new NotedWeights(addon, student.layout, student.arena);
  return new OrtTrainingEngine(addon, plan, { student: noted, ...others });
}

function requireTraining({ version, training }: RuntimeInfo, library: string): void {
  if (training) return;
  throw new SesdError(
    'SESD_NATIVE_LOAD',
    `--backend ort-training: ONNX Runtime ${version} in ${library} was built without the training API.`,
    {
      hint:
        'Take one that has it: libonnxruntime.so.1 inside the jar of the Maven artifact org.bytedeco:onnxruntime:1.28.0-1.5.14, ' +
        'classifier linux-x86_64. Unpack it and name it with --runtime or SESD_ONNXRUNTIME.',
    },
  );
}

/** The student, which the session has a copy of. */
class NotedWeights extends Float32Weights {
  /** Whether they are others than the session has. */
  changed = true;

  override async copyFrom(source: Weights): Promise<void> {
    this.changed = true;
    await super.copyFrom(source);
  }

  override async write(values: AsyncIterable<NamedArray>): Promise<void> {
    this.changed = true;
    await super.write(values);
  }
}

/** What only training needs, made at the first forward. */
interface TrainingState {
  session: NativeTrainingSession;
  gradients: NativeArena;
  m: NativeArena;
  v: NativeArena;
}

export class OrtTrainingEngine extends ArenaEngine {
  declare readonly student: NotedWeights;
  #training: Promise<TrainingState> | undefined;
  #gathered = 0;
  #stash: NativeStash | undefined;
  #batch: Record<string, HostTensor> | undefined;

  override async mean(into: Weights, sources: readonly Weights[]): Promise<void> {
    if (into === this.student) this.student.changed = true;
    await super.mean(into, sources);
  }

  async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const { forward: graph, dropoutKey, logits } = this.plan;
    const { session } = await this.#trainingState();
    this.#dropStash();
    await this.#handOver(session);
    const feeds = feedBatch(this.plan.feeds, batch);
    if (dropoutKey) feeds[dropoutKey] = feedDropoutKey(options.dropoutKey);
    const result = await step(options.signal, () =>
      session.evalStep({ feeds: pick(feeds, graph.feeds), fetch: [logits], keep: graph.stash }),
    );
    this.#stash = result.stash;
    this.#batch = feeds;
    return toLogits(result.fetched[logits]!);
  }

  async backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void> {
    if (!this.#stash || !this.#batch) throw new Error('backward() needs a forward() before it');
    const { backward: graph, classes, parameters } = this.plan;
    const { session, gradients } = await this.#trainingState();
    if (this.#gathered === 0) await session.resetGradients();
    const feeds = {
      ...pick(this.#batch, graph.feeds),
      [graph.dlogits]: feedDlogits(dlogits, classes),
    };
    const outputs = slices(
      parameters.map(({ name }) => name),
      { arena: gradients, layout: this.layout },
    ).map((slice) => ({ ...slice, name: gatheredGradient(slice.name) }));
    const stash = this.#stash;
    await step(signal, () => session.trainStep({ feeds, stash, fetch: [] }, outputs));
    this.#gathered++;
    this.#dropStash();
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { gradients, m, v } = await this.#trainingState();
    this.student.changed = true;
    const gradNorm = await this.addon.adamw(
      adamW({ weights: this.student.arena, gradients, m, v }, this.layout, options),
    );
    this.#gathered = 0;
    return { gradNorm };
  }

  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    yield* readParameters((await this.#trainingState())[which], this.layout);
  }

  async writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>): Promise<void> {
    await writeParameters((await this.#trainingState())[which], this.layout, values);
  }

  /** The gradients gathered since the last update, for tests and probes. */
  async *readGradients(): AsyncIterable<NamedArray> {
    yield* readParameters((await this.#trainingState()).gradients, this.layout);
  }

  override close(): void {
    this.#dropStash();
    this.#training?.then(
      (state) => {
        for (const resource of Object.values(state)) resource.release();
      },
      () => {}, // never made: nothing to free
    );
    super.close();
  }

  #trainingState(): Promise<TrainingState> {
    this.#training ??= this.#createTraining();
    return this.#training;
  }

  async #createTraining(): Promise<TrainingState> {
    const { parameters, frozen } = this.plan;
    const models = { ...trainingModels(this.plan), checkpoint: nominalCheckpoint(parameters, frozen) };
    const session = await takingModel('training graph', () => this.addon.createTrainingSession(models));
    const names = [...parameters, ...frozen].map(({ name }) => name);
    this.student.changed = false;
    await session.initialize(slices(names, this.student, this.frozen));
    return {
      session,
      gradients: await this.addon.createArena(this.layout.length),
      m: await this.addon.createArena(this.layout.length),
      v: await this.addon.createArena(this.layout.length),
    };
  }

  /** Gives the session the student's weights where they have changed. */
  async #handOver(session: NativeTrainingSession): Promise<void> {
    if (!this.student.changed) return;
    this.student.changed = false;
    const names = this.parameters.map(({ name }) => name);
    await session.write(slices(names, this.student));
  }

  #dropStash(): void {
    this.#stash?.release();
    this.#stash = undefined;
    this.#batch = undefined;
  }
}

/** A step of the session. The runtime ends none early: the signal takes effect when it is done. */
async function step<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
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
