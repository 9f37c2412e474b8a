import { SesdError } from '../../errors.ts';
import type { NativeAddon, NativeArena, NativeSession, SessionOptions } from '../contract.ts';
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
  type Store,
  settleAverages,
  settled,
} from './arena-weights.ts';
import { feedBatch } from './feeds.ts';
import { cancellable, createSession, toLogits } from './sessions.ts';
import { ShapeFeeds } from './shape-feeds.ts';

/** What an engine holds from the start: enough to predict. */
export interface ModelState {
  student: Float32Weights;
  /** Weights that are not trained. */
  frozen: Store | undefined;
  inference: NativeSession;
}

/**
 * @param options of the session that predicts
 * @throws SesdError SESD_BAD_MODEL when the runtime does not take the graph
 */
export async function openModelState(
  addon: NativeAddon,
  plan: TrainingPlan,
  options: SessionOptions = {},
): Promise<ModelState> {
  const student = await createStore(addon, plan.parameters, plan.initial);
  return {
    student: new Float32Weights(addon, student.layout, student.arena),
    frozen: plan.frozen.length > 0 ? await createStore(addon, plan.frozen, plan.initial) : undefined,
    inference: await createSession(addon, plan.inference.model, 'graph', options),
  };
}

/** What the backends share: weights in arenas, averages of them, and predictions with any of them. */
export abstract class ArenaEngine implements Engine {
  readonly student: Float32Weights;
  protected readonly addon: NativeAddon;
  protected readonly plan: Omit<TrainingPlan, 'initial'>;
  protected readonly layout: Layout;
  protected readonly frozen: Store | undefined;
  protected readonly shapes: ShapeFeeds;
  readonly #inference: NativeSession;
  readonly #extra = new Set<ArenaWeights>();
  /** What weights of another storage are copied to for an inference. */
  #widened: Float32Weights | undefined;

  constructor(addon: NativeAddon, plan: TrainingPlan, { student, frozen, inference }: ModelState) {
    // the initial weights are views into a file's bytes: nothing here keeps them
    const { initial: _, ...rest } = plan;
    this.addon = addon;
    this.shapes = new ShapeFeeds(addon);
    this.plan = rest;
    this.layout = student.layout;
    this.frozen = frozen;
    this.#inference = inference;
    this.student = student;
  }

  get parameters(): readonly Parameter[] {
    return this.plan.parameters;
  }

  get fixed(): { rows?: number; length?: number } {
    return this.plan.fixed;
  }

  get maxPositions(): number | undefined {
    return this.plan.maxPositions;
  }

  get classes(): number {
    return this.plan.classes;
  }

  async createWeights(storage: WeightStorage = 'memory'): Promise<Weights> {
    const weights = await this.#allocate(storage);
    this.#extra.add(weights);
    await weights.copyFrom(this.student);
    return weights;
  }

  async #allocate(storage: WeightStorage): Promise<ArenaWeights> {
    const { length } = this.layout;
    const folder = typeof storage === 'object' ? storage.folder : undefined;
    try {
      if (storage === 'bf16') {
        return new Bf16Weights(this.addon, this.layout, await this.addon.createBf16Arena(length));
      }
      return this.float32Weights(await this.addon.createArena(length, folder));
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

  protected float32Weights(arena: NativeArena): Float32Weights {
    return new Float32Weights(this.addon, this.layout, arena);
  }

  async mean(into: Weights, sources: readonly Weights[]): Promise<void> {
    for (const source of sources) await settled(source);
    const { arena } = into as Float32Weights;
    (into as Float32Weights).touch();
    await this.addon.mean(arena, sources.map(arenaOf));
  }

  async average(weights: Weights, averages: readonly Averaging[]): Promise<void> {
    const { arena } = await settled(weights as Float32Weights);
    await this.addon.average(arena, await settleAverages(averages));
  }

  async infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits> {
    const { inference, logits } = this.plan;
    const binding = (await settled(await this.#inferable(weights))).bind(
      this.#inference,
      inference,
      this.frozen,
    );
    const feeds = await this.shapes.of(inference, feedBatch(this.plan, batch));
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

  abstract forward(batch: Batch, options: ForwardOptions): Promise<Logits>;
  abstract backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void>;
  abstract update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  abstract readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray>;
  abstract writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>, step: number): Promise<void>;

  close(): void {
    for (const weights of this.#extra) weights.release();
    this.student.release();
    this.frozen?.arena.release();
    this.#inference.release();
    this.shapes.release();
  }
}
