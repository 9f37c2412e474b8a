import { SesdError } from '../../errors.ts';
import type {
  HostTensor,
  NativeAddon,
  NativeArena,
  NativeStash,
  NativeTrainingSession,
  RuntimeInfo,
} from '../contract.ts';
import type {
  Batch,
  ForwardOptions,
  Logits,
  NamedArray,
  Parameter,
  UpdateOptions,
  Weights,
} from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { ArenaEngine, type ModelState, openModelState } from './arena-engine.ts';
import { Float32Weights, readParameters, slices, writeParameters } from './arena-weights.ts';
import { feedBatch, feedDlogits, feedDropoutKey } from './feeds.ts';
import { loadAddon, runtimeLibrary } from './load-addon.ts';
import { type OnnxRuntimeOptions, openRuntime } from './onnx-runtime.ts';
import { checkpointBytes, type TrainingValues, trainingCheckpoint } from './ort-training-checkpoint.ts';
import { type OneGroup, trainingModels } from './ort-training-models.ts';
import { OwnUpdates, SessionUpdates, type Updates } from './ort-training-updates.ts';
import { pick, takingModel, toLogits } from './sessions.ts';

export interface OrtTrainingOptions extends OnnxRuntimeOptions {
  /** What every update will go by, its rates in proportion. Absent: the session is not to update the weights. */
  rates?: Rates;
}

type Rates = Pick<UpdateOptions, 'learningRate' | 'headLearningRate' | 'weightDecay' | 'maxGradNorm'>;

/**
 * Trains a plan in a session of ONNX Runtime's training API. The objective stays here: the session's eval model is the
 * forward pass, its training model the backward pass.
 * @throws SesdError SESD_BAD_MODEL when the runtime does not take a graph, SESD_NATIVE_LOAD when it has no training API
 */
export async function createTrainingEngine(
  plan: TrainingPlan,
  { rates, ...options }: OrtTrainingOptions,
): Promise<OrtTrainingEngine> {
  const addon = loadAddon();
  requireTraining(openRuntime(options), options.library ?? runtimeLibrary());
  const { student, ...others } = await openModelState(addon, plan);
  const noted = new NotedWeights(addon, student.layout, student.arena);
  return new OrtTrainingEngine(addon, plan, { student: noted, ...others }, rates && oneGroup(plan, rates));
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

/**
 * The session's AdamW has one group of parameters, and does not clip (com.microsoft::InplaceClipGradNorm, which it could be
 * given, does not give the same bits from run to run). Its options, where that is enough for these rates.
 */
function oneGroup({ parameters, frozen }: TrainingPlan, rates: Rates): OneGroup | undefined {
  const { learningRate, headLearningRate, weightDecay, maxGradNorm } = rates;
  const rateOf = ({ group, learningRateScale }: Parameter) =>
    learningRateScale * (group === 'head' ? headLearningRate : learningRate);
  const isOne =
    maxGradNorm === Number.POSITIVE_INFINITY &&
    parameters.every((each) => rateOf(each) === learningRate) &&
    (weightDecay === 0 || parameters.every(({ decay }) => decay)) &&
    checkpointBytes(parameters, frozen) < 2 ** 31; // what a FlatBuffer may have
  return isOne ? { weightDecay } : undefined;
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
  updates: Updates;
}

/** Moments to go on from, after update `step`. */
interface Restored {
  m?: NativeArena;
  v?: NativeArena;
  step: number;
}

export class OrtTrainingEngine extends ArenaEngine {
  declare readonly student: NotedWeights;
  /** How the session updates the weights; undefined where the addon's AdamW does. */
  readonly group: OneGroup | undefined;
  #training: Promise<TrainingState> | undefined;
  #restored: Restored = { step: 0 };
  #gathered = 0;
  #stash: NativeStash | undefined;
  #batch: Record<string, HostTensor> | undefined;

  constructor(
    addon: NativeAddon,
    plan: TrainingPlan,
    state: ModelState & { student: NotedWeights },
    group: OneGroup | undefined,
  ) {
    super(addon, plan, state);
    this.group = group;
  }

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
    const { backward: graph, classes } = this.plan;
    const { session, updates } = await this.#trainingState();
    if (this.#gathered === 0) await session.resetGradients();
    const feeds = { ...pick(this.#batch, graph.feeds), [graph.dlogits]: feedDlogits(dlogits, classes) };
    const { fetch, outputs } = updates;
    const stash = this.#stash;
    updates.gathered(await step(signal, () => session.trainStep({ feeds, stash, fetch }, outputs)));
    this.#gathered++;
    this.#dropStash();
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const { updates } = await this.#trainingState();
    this.#gathered = 0;
    if (this.group === undefined) this.student.changed = true;
    return updates.update(options);
  }

  async *readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    yield* (await this.#trainingState()).updates.readMoments(which);
  }

  /** A session takes moments in only when it is made: the one there is goes. */
  async writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>, step: number): Promise<void> {
    this.#dropTraining();
    const restored = this.#restored;
    restored.step = step;
    restored[which] ??= await this.addon.createArena(this.layout.length);
    await writeParameters(restored[which], this.layout, values);
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
    const { parameters, frozen } = this.plan;
    const { m, v } = this.#restored;
    const values = this.group && m && v ? await this.#values(m, v, this.#restored.step) : undefined;
    const checkpoint = trainingCheckpoint(this.plan, values);
    const models = { ...trainingModels(this.plan, this.group), checkpoint };
    const session = await takingModel('training graph', () => this.addon.createTrainingSession(models));
    this.student.changed = false;
    if (!values) {
      const names = [...parameters, ...frozen].map(({ name }) => name);
      await session.initialize(slices(names, this.student, this.frozen));
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
    const frozen = this.frozen && (await collect(readParameters(this.frozen.arena, this.frozen.layout)));
    const student = await collect(this.student.read());
    return {
      weights: new Map([...student, ...(frozen ?? [])]),
      m: await collect(readParameters(m, this.layout)),
      v: await collect(readParameters(v, this.layout)),
      step,
    };
  }

  /** Gives the session the student's weights where they have changed. */
  async #handOver(session: NativeTrainingSession): Promise<void> {
    if (!this.student.changed) return;
    this.student.changed = false;
    const names = this.parameters.map(({ name }) => name);
    await session.write(slices(names, this.student));
  }

  #dropTraining(): void {
    this.#dropStash();
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

  #dropStash(): void {
    this.#stash?.release();
    this.#stash = undefined;
    this.#batch = undefined;
  }
}

async function collect(values: AsyncIterable<NamedArray>): Promise<Map<string, Float32Array>> {
  const all = new Map<string, Float32Array>();
  for await (const { name, data } of values) all.set(name, data);
  return all;
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
