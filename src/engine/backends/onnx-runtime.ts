import { SesdError } from '../../errors.ts';
import type {
  HostTensor,
  NativeAddon,
  NativeArena,
  NativeBinding,
  NativeSession,
  NativeStash,
  RuntimeInfo,
} from '../contract.ts';
import type {
  Averaging,
  Batch,
  Engine,
  ForwardOptions,
  Logits,
  NamedArray,
  Parameter,
  UpdateOptions,
  WeightStorage,
  Weights,
} from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import {
  type ArenaWeights,
  arenaOf,
  Bf16Weights,
  createStore,
  Float32Weights,
  type Layout,
  nativeAveraging,
  readParameters,
  type Store,
  slices,
  writeParameters,
} from './arena-weights.ts';
import { feedBatch, feedDropoutKey } from './feeds.ts';
import { loadAddon, runtimeLibrary } from './load-addon.ts';

export interface OnnxRuntimeOptions {
  /** Threads of the runtime and of the native passes; all cores when absent. */
  threads: number;
  /** Path of libonnxruntime; the one inside onnxruntime-node when absent. */
  library?: string;
}

/** Loads the runtime, once per process. @throws SesdError SESD_NATIVE_LOAD */
export function openRuntime({ library, threads }: OnnxRuntimeOptions): RuntimeInfo {
  return loadAddon().open({ library: library ?? runtimeLibrary(), threads });
}

/**
 * Trains and runs a plan on stock ONNX Runtime: forward, backward and inference sessions over shared weights.
 * @throws SesdError SESD_BAD_MODEL when the runtime does not take a graph, SESD_NATIVE_LOAD
 */
export async function createEngine(
  plan: TrainingPlan,
  options: OnnxRuntimeOptions,
): Promise<OnnxRuntimeEngine> {
  const addon = loadAddon();
  openRuntime(options);
  const student = await createStore(addon, plan.parameters, plan.initial);
  const frozen = plan.frozen.length > 0 ? await createStore(addon, plan.frozen, plan.initial) : undefined;
  const inference = await createSession(addon, plan.inference.model, 'graph');
  // the initial weights are views into a file's bytes: nothing here keeps them
  const { initial: _, ...rest } = plan;
  return new OnnxRuntimeEngine(addon, rest, { student, frozen, inference });
}

/** @throws SesdError SESD_BAD_MODEL with what the runtime says of a graph it does not take */
async function createSession(addon: NativeAddon, model: Uint8Array, what: string): Promise<NativeSession> {
  try {
    return await addon.createSession(model, {});
  } catch (cause) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `ONNX Runtime does not take the model's ${what}: ${(cause as Error).message}`,
      { hint: 'Check that onnxruntime runs the file; if not, export it again.', cause },
    );
  }
}

/** What only training needs: made at the first forward, so that a classifier that just predicts stays small. */
interface TrainingState {
  forward: NativeSession;
  backward: NativeSession;
  forwardBinding: NativeBinding;
  backwardBinding: NativeBinding;
  gradients: NativeArena;
  m: NativeArena;
  v: NativeArena;
}

export class OnnxRuntimeEngine implements Engine {
  readonly student: Float32Weights;
  readonly #addon: NativeAddon;
  readonly #plan: Omit<TrainingPlan, 'initial'>;
  readonly #layout: Layout;
  /** Weights that are not trained. */
  readonly #frozen: Store | undefined;
  readonly #inference: NativeSession;
  #training: Promise<TrainingState> | undefined;
  /** Gradients of one micro-batch, when several are gathered for an update. */
  #scratch: { arena: NativeArena; binding: NativeBinding } | undefined;
  #gathered = 0;
  #stash: NativeStash | undefined;
  #batch: Record<string, HostTensor> | undefined;
  readonly #extra = new Set<ArenaWeights>();
  /** What weights of another storage are copied to for an inference. */
  #widened: Float32Weights | undefined;

  constructor(
    addon: NativeAddon,
    plan: Omit<TrainingPlan, 'initial'>,
    { student, frozen, inference }: { student: Store; frozen: Store | undefined; inference: NativeSession },
  ) {
    this.#addon = addon;
    this.#plan = plan;
    this.#layout = student.layout;
    this.#frozen = frozen;
    this.#inference = inference;
    this.student = new Float32Weights(addon, student.layout, student.arena);
  }

  get parameters(): readonly Parameter[] {
    return this.#plan.parameters;
  }

  get fixed(): { rows?: number; length?: number } {
    return this.#plan.fixed;
  }

  get maxPositions(): number | undefined {
    return this.#plan.maxPositions;
  }

  get classes(): number {
    return this.#plan.classes;
  }

  async createWeights(storage: WeightStorage = 'memory'): Promise<Weights> {
    const weights = await this.#allocate(storage);
    this.#extra.add(weights);
    await weights.copyFrom(this.student);
    return weights;
  }

  async #allocate(storage: WeightStorage): Promise<ArenaWeights> {
    const { length } = this.#layout;
    const folder = typeof storage === 'object' ? storage.folder : undefined;
    try {
      if (storage === 'bf16') {
        return new Bf16Weights(this.#addon, this.#layout, await this.#addon.createBf16Arena(length));
      }
      return new Float32Weights(this.#addon, this.#layout, await this.#addon.createArena(length, folder));
    } catch (cause) {
      const what = `past or averaged weights cannot be kept ${folder === undefined ? 'in memory' : 'on disk'}`;
      throw new SesdError(
        folder === undefined ? 'SESD_RUNTIME' : 'SESD_OUTPUT',
        `${what}: ${(cause as Error).message}`,
        {
          hint:
            folder === undefined
              ? 'A smaller --window, or --pool-storage bf16 or disk, takes less memory; so does --strategy finetune.'
              : 'Free some space there, or keep them in memory with --pool-storage memory or bf16.',
          cause,
        },
      );
    }
  }

  mean(into: Weights, sources: readonly Weights[]): Promise<void> {
    return this.#addon.mean((into as Float32Weights).arena, sources.map(arenaOf));
  }

  average(weights: Weights, averages: readonly Averaging[]): Promise<void> {
    return this.#addon.average((weights as Float32Weights).arena, averages.map(nativeAveraging));
  }

  async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const { forward: graph, dropoutKey, logits } = this.#plan;
    const { forwardBinding } = await this.#trainingState();
    this.#dropStash();
    const feeds = feedBatch(this.#plan.feeds, batch);
    if (dropoutKey) feeds[dropoutKey] = feedDropoutKey(options.dropoutKey);
    const result = await cancellable(forwardBinding, options.signal, () =>
      forwardBinding.run({ feeds: pick(feeds, graph.feeds), fetch: [logits], keep: graph.stash }),
    );
    this.#stash = result.stash;
    this.#batch = feeds;
    return toLogits(result.fetched[logits]!);
  }

  async backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void> {
    if (!this.#stash || !this.#batch) throw new Error('backward() needs a forward() before it');
    const { backward: graph, classes } = this.#plan;
    const state = await this.#trainingState();
    const binding = this.#gathered === 0 ? state.backwardBinding : await this.#scratchBinding(state);
    const feeds = {
      ...pick(this.#batch, graph.feeds),
      [graph.dlogits]: {
        dtype: 'float32',
        dims: [dlogits.length / classes, classes],
        data: dlogits,
      } as const,
    };
    const stash = this.#stash;
    await cancellable(binding, signal, () => binding.run({ feeds, stash, fetch: [] }));
    if (this.#gathered > 0) await this.#addon.add(state.gradients, this.#scratch!.arena);
    this.#gathered++;
    this.#dropStash();
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { gradients, m, v } = await this.#trainingState();
    const segments = [...this.#layout.places.values()].map(({ parameter, offset }) => ({
      offset,
      length: parameter.size,
      learningRate:
        parameter.learningRateScale *
        (parameter.group === 'head' ? options.headLearningRate : options.learningRate),
      weightDecay: parameter.decay ? options.weightDecay : 0,
    }));
    const gradNorm = await this.#addon.adamw({
      weights: this.student.arena,
      gradients,
      m,
      v,
      segments,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      step: options.step,
      maxGradNorm: options.maxGradNorm,
      before: (options.before ?? []).map(nativeAveraging),
      after: (options.after ?? []).map(nativeAveraging),
    });
    this.#gathered = 0;
    return { gradNorm };
  }

  async infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits> {
    const { inference, logits } = this.#plan;
    const binding = (await this.#inferable(weights)).bind(this.#inference, inference, this.#frozen);
    const feeds = pick(feedBatch(this.#plan.feeds, batch), inference.feeds);
    const result = await cancellable(binding, signal, () => binding.run({ feeds, fetch: [logits] }));
    return toLogits(result.fetched[logits]!);
  }

  /** The weights themselves, or a copy of them where the session cannot read them. */
  async #inferable(weights: Weights): Promise<Float32Weights> {
    if (weights instanceof Float32Weights) return weights;
    this.#widened ??= (await this.createWeights()) as Float32Weights;
    await this.#widened.copyFrom(weights);
    return this.#widened;
  }

  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    yield* readParameters((await this.#trainingState())[which], this.#layout);
  }

  async writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>): Promise<void> {
    await writeParameters((await this.#trainingState())[which], this.#layout, values);
  }

  /** The gradients gathered since the last update, for tests and probes. */
  async *readGradients(): AsyncIterable<NamedArray> {
    yield* readParameters((await this.#trainingState()).gradients, this.#layout);
  }

  close(): void {
    this.#dropStash();
    this.#scratch?.binding.release();
    this.#scratch?.arena.release();
    this.#training?.then(
      (state) => {
        for (const resource of Object.values(state)) resource.release();
      },
      () => {}, // never made: nothing to free
    );
    for (const weights of this.#extra) weights.release();
    this.student.release();
    this.#frozen?.arena.release();
    this.#inference.release();
  }

  #trainingState(): Promise<TrainingState> {
    this.#training ??= this.#createTraining();
    return this.#training;
  }

  async #createTraining(): Promise<TrainingState> {
    const { forward, backward } = this.#plan;
    const forwardSession = await createSession(this.#addon, forward.model, 'training graph');
    const backwardSession = await createSession(this.#addon, backward.model, 'backward graph');
    const gradients = await this.#addon.createArena(this.#layout.length);
    return {
      forward: forwardSession,
      backward: backwardSession,
      forwardBinding: forwardSession.bind({ inputs: slices(forward.weights, this.student, this.#frozen) }),
      backwardBinding: this.#bindBackward(backwardSession, gradients),
      gradients,
      m: await this.#addon.createArena(this.#layout.length),
      v: await this.#addon.createArena(this.#layout.length),
    };
  }

  #bindBackward(session: NativeSession, gradients: NativeArena): NativeBinding {
    const { backward } = this.#plan;
    const outputs = [...backward.gradients].map(([parameter, name]) => {
      const [slice] = slices([parameter], { arena: gradients, layout: this.#layout });
      return { ...slice!, name };
    });
    return session.bind({ inputs: slices(backward.weights, this.student, this.#frozen), outputs });
  }

  async #scratchBinding(state: TrainingState): Promise<NativeBinding> {
    if (!this.#scratch) {
      const arena = await this.#addon.createArena(this.#layout.length);
      this.#scratch = { arena, binding: this.#bindBackward(state.backward, arena) };
    }
    return this.#scratch.binding;
  }

  #dropStash(): void {
    this.#stash?.release();
    this.#stash = undefined;
    this.#batch = undefined;
  }
}

function pick(feeds: Record<string, HostTensor>, names: readonly string[]): Record<string, HostTensor> {
  return Object.fromEntries(names.map((name) => [name, feeds[name]!]));
}

function toLogits(tensor: HostTensor): Logits {
  return { data: tensor.data as Float32Array, rows: tensor.dims[0]!, classes: tensor.dims[1]! };
}

/** Ends the run under way when the signal fires. */
async function cancellable<T>(
  binding: NativeBinding,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.');
  const cancel = () => binding.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await run();
  } catch (cause) {
    if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.', { cause });
    throw new SesdError('SESD_RUNTIME', `ONNX Runtime failed: ${(cause as Error).message}`, { cause });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
