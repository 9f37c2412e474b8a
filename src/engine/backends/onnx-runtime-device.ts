import type { NativeBinding, NativeSession } from '../contract.ts';
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
import { type AnyStore, layOut, readParameters, slices, writeParameters } from './arena-weights.ts';
import { lossScales } from './device/loss-scale.ts';
import { DeviceMemory, type Vector, whole } from './device/memory.ts';
import * as passes from './device/passes.ts';
import { DeviceWeights, layOutByRates, type RateRange, vectorOf } from './device/weights.ts';
import { feedBatch, feedDlogits } from './feeds.ts';
import { KeptForward } from './kept-forward.ts';
import { loadAddon } from './load-addon.ts';
import { cancellable, createSession, toLogits } from './sessions.ts';
import { ShapeFeeds } from './shape-feeds.ts';

type Plan = Omit<TrainingPlan, 'initial'>;

/**
 * Trains a plan of stock operators on a device: weights, gradients, moments, averages and what backward needs stay in its
 * memory, and the passes over them are graphs too. The runtime is open.
 * @param cuda options of the CUDA provider; without them the same is computed on the CPU, for tests
 * @throws SesdError SESD_BAD_MODEL when the runtime does not take a graph
 */
export async function createDeviceEngine(
  { initial, ...plan }: TrainingPlan,
  cuda?: Readonly<Record<string, string>>,
): Promise<DeviceEngine> {
  const addon = loadAddon();
  const device = new DeviceMemory(addon, cuda ? { cuda, deviceOnly: true } : {});
  const { layout, ranges } = layOutByRates(plan.parameters);
  const student = new DeviceWeights(device, layout, await device.allocate(layout.length));
  await student.write(valuesOf(plan.parameters, initial));
  const frozen = await storeFrozen(device, plan.frozen, initial);
  const inference = await createSession(addon, plan.inference.model, 'graph', device.options);
  return new DeviceEngine(plan, device, { student, ranges, frozen, inference });
}

async function* valuesOf(
  parameters: readonly Parameter[],
  initial: TrainingPlan['initial'],
): AsyncIterable<NamedArray> {
  for (const { name } of parameters) {
    const { bytes } = initial.get(name)!;
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    yield { name, data: new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4) };
  }
}

async function storeFrozen(
  device: DeviceMemory,
  parameters: readonly Parameter[],
  initial: TrainingPlan['initial'],
): Promise<AnyStore | undefined> {
  if (parameters.length === 0) return undefined;
  const layout = layOut(parameters);
  const vector = await device.allocate(layout.length);
  await writeParameters(device.access(vector), layout, valuesOf(parameters, initial));
  return { arena: vector.memory, layout };
}

interface DeviceState {
  student: DeviceWeights;
  ranges: readonly RateRange[];
  frozen: AnyStore | undefined;
  inference: NativeSession;
}

/** Memory for gradients, and the backward session bound to it. */
interface Gradients {
  vector: Vector;
  binding: NativeBinding;
}

/** What only training needs, made at the first forward. */
interface TrainingState {
  forward: NativeSession;
  backward: NativeSession;
  forwardBinding: NativeBinding;
  /** Of all micro-batches of an update. */
  gathered: Gradients;
  m: Vector;
  v: Vector;
}

export class DeviceEngine implements Engine {
  readonly student: DeviceWeights;
  readonly #plan: Plan;
  readonly #device: DeviceMemory;
  readonly #state: DeviceState;
  readonly #shapes: ShapeFeeds;
  readonly #extra = new Set<DeviceWeights>();
  #training: Promise<TrainingState> | undefined;
  /** Gradients of one micro-batch, when several are gathered for an update. */
  #scratch: Gradients | undefined;
  /** What weights of another storage are copied to for an inference. */
  #widened: DeviceWeights | undefined;
  #gathered = 0;
  readonly #kept = new KeptForward();

  constructor(plan: Plan, device: DeviceMemory, state: DeviceState) {
    this.#plan = plan;
    this.#device = device;
    this.#state = state;
    this.#shapes = new ShapeFeeds(device.addon);
    this.student = state.student;
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
    const { length } = this.student.layout;
    const vector: Vector =
      typeof storage === 'object'
        ? { memory: await this.#device.addon.createArena(length, storage.folder), type: 'float32' }
        : await this.#device.allocate(length, storage === 'bf16' ? 'bfloat16' : 'float32');
    const weights = new DeviceWeights(this.#device, this.student.layout, vector);
    this.#extra.add(weights);
    await weights.copyFrom(this.student);
    return weights;
  }

  mean(into: Weights, sources: readonly Weights[]): Promise<void> {
    const vector = vectorOf(into);
    return passes.mean(this.#device, vector, sources.map(vectorOf), whole(vector));
  }

  average(weights: Weights, averages: readonly Averaging[]): Promise<void> {
    const vector = vectorOf(weights);
    return passes.average(this.#device, vector, averages, whole(vector));
  }

  async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const { forward: graph, logits } = this.#plan;
    const { forwardBinding } = await this.#trainingState();
    this.#kept.drop();
    const feeds = feedBatch(this.#plan, batch, options.dropoutKey);
    const own = await this.#shapes.of(graph, feeds);
    const result = await cancellable(forwardBinding, options.signal, () =>
      forwardBinding.run({ feeds: own, fetch: [logits], keep: graph.stash }),
    );
    this.#kept.keep(result.stash, feeds);
    return toLogits(result.fetched[logits]!);
  }

  async backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void> {
    const kept = this.#kept.current;
    const { backward: graph, classes } = this.#plan;
    const state = await this.#trainingState();
    const { vector, binding } = this.#gathered === 0 ? state.gathered : await this.#scratchGradients(state);
    const own = await this.#shapes.of(graph, kept.feeds);
    const { stash } = kept;
    for (const scale of graph.scaled ? lossScales(dlogits) : [1]) {
      const scaled = scale === 1 ? dlogits : dlogits.map((value) => scale * value);
      const feeds = { ...own, [graph.dlogits]: feedDlogits(scaled, classes) };
      await cancellable(binding, signal, () => binding.run({ feeds, stash, fetch: [] }));
      if (!graph.scaled) break;
      await passes.scale(this.#device, vector, 1 / scale, whole(vector));
      if (Number.isFinite(await passes.norm(this.#device, vector, whole(vector)))) break;
    }
    if (this.#gathered > 0) await this.#device.add(state.gathered.vector, vector);
    this.#gathered++;
    this.#kept.drop();
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { gathered, m, v } = await this.#trainingState();
    const g = gathered.vector;
    const p = this.student.vector;
    const gradNorm = await passes.norm(this.#device, g, whole(g));
    this.#gathered = 0;
    if (!Number.isFinite(gradNorm)) return { gradNorm };
    await passes.average(this.#device, p, options.before ?? [], whole(p));
    await passes.adamW(this.#device, { p, m, v, g }, this.#state.ranges, { ...options, gradNorm });
    await passes.average(this.#device, p, options.after ?? [], whole(p));
    return { gradNorm };
  }

  async infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits> {
    const { inference: graph, logits } = this.#plan;
    const { inference, frozen } = this.#state;
    const binding = (await this.#inferable(weights as DeviceWeights)).bind(inference, graph, frozen);
    const feeds = await this.#shapes.of(graph, feedBatch(this.#plan, batch));
    const result = await cancellable(binding, signal, () => binding.run({ feeds, fetch: [logits] }));
    return toLogits(result.fetched[logits]!);
  }

  /** The weights themselves, or a copy of them where the session cannot read them. */
  async #inferable(weights: DeviceWeights): Promise<DeviceWeights> {
    if (weights.vector.type === 'float32') return weights;
    this.#widened ??= (await this.createWeights()) as DeviceWeights;
    await this.#widened.copyFrom(weights);
    return this.#widened;
  }

  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    const vector = (await this.#trainingState())[which];
    yield* readParameters(this.#device.access(vector), this.student.layout);
  }

  async writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>): Promise<void> {
    const vector = (await this.#trainingState())[which];
    await writeParameters(this.#device.access(vector), this.student.layout, values);
  }

  /** The gradients gathered since the last update, for tests and probes. */
  async *readGradients(): AsyncIterable<NamedArray> {
    const { gathered } = await this.#trainingState();
    yield* readParameters(this.#device.access(gathered.vector), this.student.layout);
  }

  close(): void {
    this.#kept.drop();
    if (this.#scratch) releaseGradients(this.#scratch);
    this.#training?.then(
      ({ gathered, m, v, ...rest }) => {
        releaseGradients(gathered);
        for (const { memory } of [m, v]) memory.release();
        for (const resource of Object.values(rest)) resource.release();
      },
      () => {}, // never made: nothing to free
    );
    for (const weights of this.#extra) weights.release();
    this.student.release();
    this.#state.frozen?.arena.release();
    this.#state.inference.release();
    this.#shapes.release();
    this.#device.release();
  }

  #trainingState(): Promise<TrainingState> {
    this.#training ??= this.#createTraining();
    return this.#training;
  }

  async #createTraining(): Promise<TrainingState> {
    const { forward: graph } = this.#plan;
    const { frozen } = this.#state;
    const { addon, options } = this.#device;
    const make = (model: Uint8Array, what: string) => createSession(addon, model, what, options);
    const forward = await make(graph.model, 'training graph');
    const backward = await make(this.#plan.backward.model, 'backward graph');
    const zeros = () => this.#device.allocate(this.student.layout.length);
    return {
      forward,
      backward,
      forwardBinding: forward.bind({ inputs: slices(graph.weights, this.student, frozen) }),
      gathered: this.#bindBackward(backward, await zeros()),
      m: await zeros(),
      v: await zeros(),
    };
  }

  #bindBackward(session: NativeSession, vector: Vector): Gradients {
    const { weights, gradients } = this.#plan.backward;
    const { layout } = this.student;
    const outputs = [...gradients].map(([parameter, name]) => {
      const [slice] = slices([parameter], { arena: vector.memory, layout });
      return { ...slice!, name };
    });
    const inputs = slices(weights, this.student, this.#state.frozen);
    return { vector, binding: session.bind({ inputs, outputs }) };
  }

  async #scratchGradients({ backward }: TrainingState): Promise<Gradients> {
    this.#scratch ??= this.#bindBackward(backward, await this.#device.allocate(this.student.layout.length));
    return this.#scratch;
  }
}

function releaseGradients({ vector, binding }: Gradients): void {
  binding.release();
  vector.memory.release();
}
