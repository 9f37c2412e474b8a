import { SesdError } from '../../errors.ts';
import type { NativeArena, NativeBinding, NativeSession, RuntimeInfo } from '../contract.ts';
import type { Batch, ForwardOptions, Logits, NamedArray, UpdateOptions } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { adamW } from './adamw.ts';
import { ArenaEngine, openModelState } from './arena-engine.ts';
import { readParameters, slices, writeParameters } from './arena-weights.ts';
import { feedBatch, feedDlogits } from './feeds.ts';
import { KeptForward } from './kept-forward.ts';
import { loadAddon, runtimeLibrary } from './load-addon.ts';
import { cancellable, createSession, pick, toLogits } from './sessions.ts';

export interface OnnxRuntimeOptions {
  /** Threads of the runtime and of the native passes; all cores when absent. */
  threads: number;
  /** Path of libonnxruntime; the one inside onnxruntime-node when absent. */
  library?: string;
}

/** Loads the runtime, once per process. @throws SesdError SESD_NATIVE_LOAD */
export function openRuntime({ library, threads }: OnnxRuntimeOptions): RuntimeInfo {
  const addon = loadAddon();
  const file = runtimeLibrary(library);
  try {
    return addon.open({ library: file, threads });
  } catch (cause) {
    throw new SesdError('SESD_NATIVE_LOAD', (cause as Error).message, {
      hint: 'Name another libonnxruntime with --runtime or SESD_ONNXRUNTIME.',
      cause,
    });
  }
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
  return new OnnxRuntimeEngine(addon, plan, await openModelState(addon, plan));
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

export class OnnxRuntimeEngine extends ArenaEngine {
  #training: Promise<TrainingState> | undefined;
  /** Gradients of one micro-batch, when several are gathered for an update. */
  #scratch: { arena: NativeArena; binding: NativeBinding } | undefined;
  #gathered = 0;
  readonly #kept = new KeptForward();

  async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const { forward: graph, logits } = this.plan;
    const { forwardBinding } = await this.#trainingState();
    this.#kept.drop();
    const feeds = feedBatch(this.plan, batch, options.dropoutKey);
    const result = await cancellable(forwardBinding, options.signal, () =>
      forwardBinding.run({ feeds: pick(feeds, graph.feeds), fetch: [logits], keep: graph.stash }),
    );
    this.#kept.keep(result.stash, feeds);
    return toLogits(result.fetched[logits]!);
  }

  async backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void> {
    const kept = this.#kept.current;
    const { backward: graph, classes } = this.plan;
    const state = await this.#trainingState();
    const binding = this.#gathered === 0 ? state.backwardBinding : await this.#scratchBinding(state);
    const feeds = {
      ...pick(kept.feeds, graph.feeds),
      [graph.dlogits]: feedDlogits(dlogits, classes),
    };
    const { stash } = kept;
    await cancellable(binding, signal, () => binding.run({ feeds, stash, fetch: [] }));
    if (this.#gathered > 0) await this.addon.add(state.gradients, this.#scratch!.arena);
    this.#gathered++;
    this.#kept.drop();
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { gradients, m, v } = await this.#trainingState();
    const gradNorm = await this.addon.adamw(
      await adamW({ weights: this.student.arena, gradients, m, v }, this.layout, options),
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
    this.#kept.drop();
    this.#scratch?.binding.release();
    this.#scratch?.arena.release();
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
    const { forward, backward } = this.plan;
    const forwardSession = await createSession(this.addon, forward.model, 'training graph');
    const backwardSession = await createSession(this.addon, backward.model, 'backward graph');
    const gradients = await this.addon.createArena(this.layout.length);
    return {
      forward: forwardSession,
      backward: backwardSession,
      forwardBinding: forwardSession.bind({ inputs: slices(forward.weights, this.student, this.frozen) }),
      backwardBinding: this.#bindBackward(backwardSession, gradients),
      gradients,
      m: await this.addon.createArena(this.layout.length),
      v: await this.addon.createArena(this.layout.length),
    };
  }

  #bindBackward(session: NativeSession, gradients: NativeArena): NativeBinding {
    const { backward } = this.plan;
    const outputs = [...backward.gradients].map(([parameter, name]) => {
      const [slice] = slices([parameter], { arena: gradients, layout: this.layout });
      return { ...slice!, name };
    });
    return session.bind({ inputs: slices(backward.weights, this.student, this.frozen), outputs });
  }

  async #scratchBinding(state: TrainingState): Promise<NativeBinding> {
    if (!this.#scratch) {
      const arena = await this.addon.createArena(this.layout.length);
      this.#scratch = { arena, binding: this.#bindBackward(state.backward, arena) };
    }
    return this.#scratch.binding;
  }
}
