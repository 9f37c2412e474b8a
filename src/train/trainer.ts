import type { TrainOptions } from '../config/train-options.ts';
import { collate } from '../data/batching.ts';
import type { EncodedExample } from '../data/example.ts';
import { epochOrder } from '../data/sampler.ts';
import type { Batch, Engine, ForwardOptions, Logits, Weights } from '../engine/engine.ts';
import { SesdError } from '../errors.ts';
import type { Objective } from '../objective/objective.ts';
import { createStrategy } from '../strategy/index.ts';
import type { Strategy, StrategyContext } from '../strategy/strategy.ts';
import { type BestRecord, BestWeights } from './best-weights.ts';
import type { ArraySet, CheckpointStore, StoredCheckpoint } from './checkpoint.ts';
import { type DataDigests, dataDigests, requireSameData } from './data-digest.ts';
import { evaluate } from './evaluate.ts';
import type { EmitEvent, ModelName, Split, SplitSummary, TrainSummary } from './events.ts';
import { metricOf } from './metric.ts';
import { requireSameModel } from './model-digest.ts';
import type { Problem } from './problem.ts';
import { dropoutKey } from './random.ts';
import { clippingNorm, learningRateFactor, planSteps, type StepPlan } from './schedule.ts';
import type { Progress } from './stored-checkpoint.ts';
import { TeacherWatch } from './teacher-watch.ts';

export interface FitInput {
  /** Its student is θ_0, and holds the restored weights afterwards. */
  engine: Engine;
  options: TrainOptions;
  problem: Problem;
  train: readonly EncodedExample[];
  dev?: readonly EncodedExample[] | undefined;
  test?: readonly EncodedExample[] | undefined;
  /** Other examples to measure the restored weights on, by the split's name. */
  further?: Readonly<Record<string, readonly EncodedExample[]>>;
  /** Token that fills rows up to the longest of a batch. */
  padId: number;
  /** The run's folder, which is there; for snapshots on disk. */
  folder: string;
  /** Of what checkpoints do not hold of the engine's model: see modelDigest. */
  modelDigest: string;
  /** In place of the strategy's own. */
  objective?: Objective | undefined;
  checkpoints: CheckpointStore;
  /** Go on from the newest checkpoint that can be used, or from the beginning where there is none. */
  resume?: boolean;
  emit: EmitEvent;
  signal?: AbortSignal | undefined;
}

/**
 * Trains the engine's student, evaluates on the way, and restores the best weights.
 *
 * @throws SesdError SESD_ABORTED when the signal fires, SESD_NUMERICS when a loss or gradient is not finite
 *   (the weights before that step are in a checkpoint either way); SESD_OUTPUT, SESD_CHECKPOINT.
 */
export async function fit(input: FitInput): Promise<TrainSummary> {
  if (input.objective && input.engine.learn) {
    throw new SesdError('SESD_USAGE', '--whole-step takes no objective of your own.', {
      hint: 'Without it the loss is computed between two calls, and any goes.',
    });
  }
  const strategy = await createStrategy(strategyContext(input));
  const loop = new TrainingLoop(input, strategy, await dataDigests(input));
  try {
    return await loop.run();
  } finally {
    loop.release();
  }
}

/** What a run's strategy has to go by. */
export function strategyContext(input: FitInput): StrategyContext {
  const { engine, options, problem, train, dev, folder } = input;
  const { total } = planSteps({ ...options, examples: train.length });
  const devLoss = dev && (async (weights: Weights) => (await evaluate(engine, weights, dev, input)).loss);
  return { engine, options, labelLoss: problem.loss, totalSteps: total, folder, devLoss };
}

class TrainingLoop {
  readonly #input: FitInput;
  readonly #engine: Engine;
  readonly #options: TrainOptions;
  readonly #strategy: Strategy;
  readonly #plan: StepPlan;
  readonly #best: BestWeights;
  readonly #watch: TeacherWatch;
  readonly #data: DataDigests;
  #step = 0;
  #evaluated = true;
  #evaluationsSinceBest = 0;
  /** When the run would have begun, had nothing interrupted it. */
  #started = performance.now();
  #order: { epoch: number; indices: Uint32Array } | undefined;

  constructor(input: FitInput, strategy: Strategy, data: DataDigests) {
    const { engine, options, train } = input;
    this.#input = input;
    this.#engine = engine;
    this.#options = options;
    this.#strategy = strategy;
    this.#plan = planSteps({ ...options, examples: train.length });
    this.#watch = new TeacherWatch(this.#plan.total);
    this.#best = new BestWeights(engine, options.metric);
    this.#data = data;
  }

  async run(): Promise<TrainSummary> {
    this.#started = performance.now();
    if (this.#input.resume) await this.#restore();
    try {
      if (!this.#evaluated) await this.#evaluateOnDev(); // the run was interrupted before it was done
      while (!this.#isOver) {
        await this.#update(this.#step + 1);
        this.#step++;
        this.#evaluated = !this.#input.dev || !this.#isDue(this.#options.evalEvery);
        if (!this.#evaluated) await this.#evaluateOnDev();
        if (this.#isDue(this.#options.saveEvery)) await this.#save();
      }
      return await this.#finish();
    } catch (error) {
      if (isAbort(error, this.#input.signal)) throw await this.#interrupted(error);
      throw error;
    }
  }

  get #isOver(): boolean {
    return (
      this.#step >= this.#plan.total || this.#evaluationsSinceBest >= (this.#options.patience ?? Infinity)
    );
  }

  get #seconds(): number {
    return Number(((performance.now() - this.#started) / 1000).toFixed(1));
  }

  /** Whether what happens every so many updates happens after this one; at the end it always does. */
  #isDue(every: number | 'epoch' | 'never'): boolean {
    if (every === 'never') return false;
    return this.#isOver || this.#step % (every === 'epoch' ? this.#plan.perEpoch : every) === 0;
  }

  /** Turns θ_{step−1} into θ_step. */
  async #update(step: number): Promise<void> {
    const started = performance.now();
    const { engine, padId, signal, emit } = this.#input;
    const options = this.#options;
    const examples = this.#examplesOf(step);
    const rows = engine.fixed.rows ?? options.batchSize;
    const objective = this.#input.objective ?? this.#strategy.objective(step);
    await this.#strategy.begin(step);
    const sums: Record<string, number> = { loss: 0 };

    for (let from = 0, micro = 0; from < examples.length; from += rows, micro++) {
      signal?.throwIfAborted();
      const members = examples.slice(from, from + rows);
      const batch = collate(members, { padId, fixed: engine.fixed });
      const share = members.length / examples.length;
      const options = {
        dropoutKey: dropoutKey(this.#options.seed, step, micro),
        ...(signal && { signal }),
      };
      const { logits, taught } = await this.#pass(step, batch, members, share, options);
      const used = members.length * engine.classes;
      const own = logits.data.subarray(0, used);
      const teacherLogits = taught === 'student' ? own : taught?.subarray(0, used);
      const { loss, parts, dlogits } = objective({
        logits: own,
        ...(teacherLogits && { teacherLogits }),
        labels: members.map(({ label }) => label),
        rows: members.length,
        classes: engine.classes,
      });
      if (!Number.isFinite(loss)) throw await this.#notFinite(step, 'loss', loss);

      // The step is the mean over its examples, whatever micro-batch they came in. Rows of filling get no gradient.
      for (const [name, value] of Object.entries({ loss, ...parts }))
        sums[name] = (sums[name] ?? 0) + share * value;
      if (teacherLogits) this.#watch.add(share, { logits: own, teacherLogits, loss, ce: parts.ce ?? loss });
      if (engine.learn) continue; // it went back already
      const scaled = new Float32Array(logits.data.length);
      for (let i = 0; i < used; i++) scaled[i] = share * dlogits[i]!;
      await engine.backward(scaled, signal);
    }

    const factor = learningRateFactor(step, this.#plan.total, options.warmup);
    const { gradNorm } = await engine.update({
      step,
      learningRate: options.lr * factor,
      headLearningRate: options.headLr * factor,
      weightDecay: options.weightDecay,
      maxGradNorm: clippingNorm(options),
      ...(await this.#strategy.averages(step)),
    });
    if (!Number.isFinite(gradNorm)) throw await this.#notFinite(step, 'gradient norm', gradNorm);
    this.#strategy.updated();

    const { loss, ce = loss, distill = 0, ...others } = sums as { loss: number; [part: string]: number };
    emit({
      type: 'step',
      step,
      epoch: Number((step / this.#plan.perEpoch).toFixed(4)),
      loss,
      ce,
      distill,
      ...others,
      lr: options.lr * factor,
      gradNorm,
      examples: examples.length,
      tokens: examples.reduce((sum, { ids }) => sum + ids.length, 0),
      ms: Number((performance.now() - started).toFixed(1)),
    });
    const warning = this.#watch.warning(step);
    if (warning !== undefined) emit({ type: 'notice', message: warning });
  }

  /** Logits of student and teacher. @param share of the step's examples */
  async #pass(
    step: number,
    batch: Batch,
    members: readonly EncodedExample[],
    share: number,
    options: ForwardOptions,
  ): Promise<{ logits: Logits; taught?: Float32Array | 'student' | undefined }> {
    const { engine } = this.#input;
    if (!engine.learn) {
      const taught = await this.#strategy.teach(step, batch, options.signal);
      return { logits: await engine.forward(batch, options), taught };
    }
    const lesson = {
      ...this.#strategy.lesson(step)!,
      labels: members.map(({ label }) => label),
      weight: share / members.length,
    };
    const { logits, teacherLogits } = await engine.learn(batch, lesson, options);
    return { logits, taught: teacherLogits?.data };
  }

  /** The examples of an update; the last one of an epoch may have fewer. */
  #examplesOf(step: number): EncodedExample[] {
    const { train } = this.#input;
    const { seed, shuffle, batchSize, accumulate } = this.#options;
    const epoch = Math.floor((step - 1) / this.#plan.perEpoch);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, indices: epochOrder(train.length, { seed, epoch, shuffle }) };
    const start = ((step - 1) % this.#plan.perEpoch) * batchSize * accumulate;
    const indices = this.#order.indices.subarray(start, start + batchSize * accumulate);
    return Array.from(indices, (index) => train[index]!);
  }

  async #evaluateOnDev(): Promise<void> {
    const { average } = this.#strategy;
    const models: { name: ModelName; weights: Weights }[] = [
      { name: 'student', weights: this.#engine.student },
      ...(average ? [average] : []),
    ];
    const results: { record: BestRecord; weights: Weights }[] = [];
    for (const { name, weights } of models) {
      const dev = await this.#measure(weights, this.#input.dev!);
      results.push({ record: { step: this.#step, model: name, dev }, weights });
    }
    // Counted and reported only when all are measured: an interrupted evaluation is done again from the start.
    for (const { record } of results) this.#emitEval('dev', record, record.dev);
    const candidates = results.filter(({ record }) => this.#mayExport(record.model));
    if (candidates.length > 0) this.#evaluationsSinceBest++;
    for (const { record, weights } of candidates) {
      if (!(await this.#best.offer(weights, record))) continue;
      this.#evaluationsSinceBest = 0;
      const { metric } = this.#options;
      const { step, model, dev } = record;
      this.#input.emit({ type: 'best', step, model, metric, value: metricOf(dev, metric) });
    }
    this.#evaluated = true;
    if (this.#step < this.#plan.total && this.#isOver)
      this.#input.emit({ type: 'early-stop', step: this.#step });
  }

  #mayExport(model: ModelName): boolean {
    const { export: wanted } = this.#options;
    if (wanted === 'best' && this.#strategy.exported === 'better') return true;
    return (wanted === 'student') === (model === 'student');
  }

  #measure(weights: Weights, examples: readonly EncodedExample[]): Promise<SplitSummary> {
    const { engine, problem, padId, signal } = this.#input;
    return evaluate(engine, weights, examples, { problem, padId, signal });
  }

  #emitEval(
    split: string,
    { step, model }: { step: number; model: ModelName },
    summary: SplitSummary,
    final = false,
  ): void {
    this.#input.emit({ type: 'eval', step, split, model, ...summary, ...(final && { final }) });
  }

  /** Measures the weights to restore on every split, then restores them. */
  async #finish(): Promise<TrainSummary> {
    const { metric } = this.#options;
    const { record, weights } = this.#best.current ?? this.#last();
    const splits: Partial<Record<Split, SplitSummary>> = {};
    for (const split of ['train', 'dev', 'test'] as const) {
      const examples = this.#input[split];
      if (!examples) continue;
      splits[split] = split === 'dev' && record.dev ? record.dev : await this.#measure(weights, examples);
      this.#emitEval(split, record, splits[split], true);
    }
    const further: Record<string, SplitSummary> = {};
    for (const [split, examples] of Object.entries(this.#input.further ?? {})) {
      further[split] = await this.#measure(weights, examples);
      this.#emitEval(split, record, further[split], true);
    }
    if (weights !== this.#engine.student) await this.#engine.student.copyFrom(weights);
    return {
      steps: this.#step,
      best: {
        step: record.step,
        model: record.model,
        ...(record.dev && { metric, value: metricOf(record.dev, metric) }),
      },
      ...splits,
      ...(this.#input.further && { further }),
      seconds: this.#seconds,
    };
  }

  /** Without dev there is no choice: the weights after the last update. */
  #last(): { record: Omit<BestRecord, 'dev'> & { dev?: SplitSummary }; weights: Weights } {
    const { average } = this.#strategy;
    const wantsAverage = this.#options.export === 'teacher' || this.#strategy.exported === 'average';
    const chosen = wantsAverage && this.#options.export !== 'student' ? average : undefined;
    const { name: model, weights } = chosen ?? { name: 'student' as const, weights: this.#engine.student };
    return { record: { step: this.#step, model }, weights };
  }

  async #save(): Promise<string> {
    const engine = this.#engine;
    const { ensembles, sets } = this.#strategy.state();
    const best = this.#best.current?.record;
    const progress: Progress = {
      step: this.#step,
      evaluated: this.#evaluated,
      evaluationsSinceBest: this.#evaluationsSinceBest,
      seconds: this.#seconds,
      ...(best && { best }),
      strategy: ensembles,
      data: this.#data,
      model: this.#input.modelDigest,
    };
    const arrays: ArraySet[] = [
      { name: 'student', read: () => engine.student.read() },
      { name: 'm', read: () => engine.readMoments('m') },
      { name: 'v', read: () => engine.readMoments('v') },
      ...[...sets, ...this.#best.sets()].map(({ name, weights }) => ({ name, read: () => weights.read() })),
    ];
    const { path, written } = await this.#input.checkpoints.save(progress, arrays);
    if (written) this.#input.emit({ type: 'checkpoint', step: this.#step, path });
    return path;
  }

  /** Takes up the state of the newest checkpoint that can be used; without any, that before the first step. */
  async #restore(): Promise<void> {
    const { checkpoint, faults } = await this.#input.checkpoints.newest();
    if (checkpoint) await this.#load(checkpoint);
    const { emit } = this.#input;
    emit({ type: 'resume', step: this.#step, evaluated: this.#evaluated });
    const from = `going on from step ${this.#step}`;
    for (const fault of faults)
      emit({ type: 'notice', message: `Left a damaged checkpoint out, ${from}: ${fault}.` });
    if (!checkpoint)
      emit({ type: 'notice', message: 'There is no checkpoint yet: starting from the beginning.' });
  }

  async #load({ progress, read }: StoredCheckpoint): Promise<void> {
    const engine = this.#engine;
    requireSameModel(progress.model, this.#input.modelDigest, this.#options);
    requireSameData(progress.data, this.#data, this.#options);
    const load = (name: string, into: Weights) => into.write(read(name));
    await load('student', engine.student);
    for (const which of ['m', 'v'] as const) await engine.writeMoments(which, read(which), progress.step);
    await this.#strategy.restore(progress.strategy, load);
    if (progress.best) await this.#best.restore(progress.best, load);
    this.#step = progress.step;
    this.#evaluated = progress.evaluated;
    this.#evaluationsSinceBest = progress.evaluationsSinceBest;
    this.#started -= 1000 * progress.seconds;
  }

  async #notFinite(step: number, what: string, value: number): Promise<SesdError> {
    const path = await this.#save();
    return new SesdError('SESD_NUMERICS', `Step ${step}: the ${what} is ${value}.`, {
      hint: `Try a lower --lr or --head-lr, or a longer --warmup. The weights before this step are in ${path}.`,
    });
  }

  async #interrupted(cause: unknown): Promise<SesdError> {
    await this.#save();
    return new SesdError('SESD_ABORTED', `Interrupted after step ${this.#step} of ${this.#plan.total}.`, {
      hint: `Go on with: ${this.#input.checkpoints.resumeCommand}`,
      cause,
    });
  }

  release(): void {
    this.#strategy.release();
    this.#best.release();
  }
}

/** Whether an error is the signal's doing, be it the engine's or throwIfAborted's. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  return error === signal.reason || (error as { code?: unknown } | null)?.code === 'SESD_ABORTED';
}
