import type { TrainOptions } from '../config/train-options.ts';
import { collate } from '../data/batching.ts';
import type { EncodedExample } from '../data/example.ts';
import { epochOrder } from '../data/sampler.ts';
import type { Batch, Engine, ForwardOptions, Logits } from '../engine/engine.ts';
import { SesdError } from '../errors.ts';
import type { Strategy } from '../strategy/strategy.ts';
import { examplesPerPass } from './examples-per-pass.ts';
import { dropoutKey } from './random.ts';
import { clippingNorm, learningRateFactor, type StepPlan } from './schedule.ts';
import { TeacherWatch } from './teacher-watch.ts';
import type { FitInput } from './trainer.ts';

type StepInput = Pick<FitInput, 'engine' | 'options' | 'train' | 'padId' | 'objective' | 'emit' | 'signal'>;

/** Logits of a micro-batch: the student's, and the teacher's where there is one. */
interface Passes {
  logits: Logits;
  taught?: Float32Array | 'student' | undefined;
}

/** One optimizer update: the student's passes over the examples of the step, then the update by their gradients. */
export class TrainingStep {
  readonly #input: StepInput;
  readonly #engine: Engine;
  readonly #options: TrainOptions;
  readonly #strategy: Strategy;
  readonly #plan: StepPlan;
  readonly #watch: TeacherWatch;
  #order: { epoch: number; indices: Uint32Array } | undefined;

  constructor(input: StepInput, strategy: Strategy, plan: StepPlan) {
    this.#input = input;
    this.#engine = input.engine;
    this.#options = input.options;
    this.#strategy = strategy;
    this.#plan = plan;
    this.#watch = new TeacherWatch(plan.total);
  }

  /**
   * Turns θ_{step−1} into θ_step.
   * @throws SesdError SESD_NUMERICS when the loss or the gradient is not finite; the student is then still θ_{step−1}
   */
  async run(step: number): Promise<void> {
    const started = performance.now();
    const { emit } = this.#input;
    const examples = this.#examplesOf(step);
    await this.#strategy.begin(step);
    const { loss, ce = loss, distill = 0, ...others } = await this.#gatherGradients(step, examples);
    const { lr, gradNorm } = await this.#update(step);
    emit({
      type: 'step',
      step,
      epoch: Number((step / this.#plan.perEpoch).toFixed(4)),
      loss,
      ce,
      distill,
      ...others,
      lr,
      gradNorm,
      examples: examples.length,
      tokens: examples.reduce((sum, { ids }) => sum + ids.length, 0),
      ms: Number((performance.now() - started).toFixed(1)),
    });
    const warning = this.#watch.warning(step);
    if (warning !== undefined) emit({ type: 'notice', message: warning });
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

  /** Leaves the gradients of the examples' loss in the engine. @returns the loss and its terms, each the mean over them */
  async #gatherGradients(
    step: number,
    examples: readonly EncodedExample[],
  ): Promise<{ loss: number; [part: string]: number }> {
    const { padId, signal } = this.#input;
    const engine = this.#engine;
    const perPass = examplesPerPass(this.#input);
    const draws = this.#strategy.draws(step);
    const objective = this.#input.objective ?? this.#strategy.objective(step);
    const sums: { loss: number; [part: string]: number } = { loss: 0 };

    for (let from = 0, micro = 0; from < examples.length; from += perPass, micro++) {
      signal?.throwIfAborted();
      const members = examples.slice(from, from + perPass);
      const rows = Array.from({ length: draws }, () => members).flat();
      const batch = collate(rows, { padId, fixed: engine.fixed });
      const share = members.length / examples.length;
      const options = {
        dropoutKey: dropoutKey(this.#options.seed, step, micro),
        ...(signal && { signal }),
      };
      const { logits, taught } = await this.#pass(step, batch, rows, share, options);
      const used = rows.length * engine.classes;
      const own = logits.data.subarray(0, used);
      const teacherLogits = taught === 'student' ? own : taught?.subarray(0, used);
      const { loss, parts, dlogits } = objective({
        logits: own,
        ...(teacherLogits && { teacherLogits }),
        labels: rows.map(({ label }) => label),
        rows: rows.length,
        classes: engine.classes,
      });
      requireFinite(step, 'loss', loss);

      // The step is the mean over its examples, whatever micro-batch they came in. Rows of filling get no gradient.
      for (const [name, value] of Object.entries({ loss, ...parts }))
        sums[name] = (sums[name] ?? 0) + share * value;
      if (teacherLogits) this.#watch.add(share, { logits: own, teacherLogits, loss, ce: parts.ce ?? loss });
      if (engine.learn) continue; // it went back already
      const scaled = new Float32Array(logits.data.length);
      for (let i = 0; i < used; i++) scaled[i] = share * dlogits[i]!;
      await engine.backward(scaled, signal);
    }
    return sums;
  }

  /** @param share of the step's examples */
  async #pass(
    step: number,
    batch: Batch,
    rows: readonly EncodedExample[],
    share: number,
    options: ForwardOptions,
  ): Promise<Passes> {
    const engine = this.#engine;
    if (!engine.learn) {
      const taught = await this.#strategy.teach(step, batch, options.signal);
      return { logits: await engine.forward(batch, options), taught };
    }
    const lesson = {
      ...this.#strategy.lesson(step)!,
      labels: rows.map(({ label }) => label),
      weight: share / rows.length,
    };
    const { logits, teacherLogits } = await engine.learn(batch, lesson, options);
    return { logits, taught: teacherLogits?.data };
  }

  /** AdamW by the gathered gradients, and the strategy's averages with it. */
  async #update(step: number): Promise<{ lr: number; gradNorm: number }> {
    const options = this.#options;
    const factor = learningRateFactor(step, this.#plan.total, options.warmup);
    const lr = options.lr * factor;
    const { gradNorm } = await this.#engine.update({
      step,
      learningRate: lr,
      headLearningRate: options.headLr * factor,
      weightDecay: options.weightDecay,
      maxGradNorm: clippingNorm(options),
      ...(await this.#strategy.averages(step)),
    });
    requireFinite(step, 'gradient norm', gradNorm);
    this.#strategy.updated();
    return { lr, gradNorm };
  }
}

function requireFinite(step: number, what: string, value: number): void {
  if (!Number.isFinite(value)) throw new SesdError('SESD_NUMERICS', `Step ${step}: the ${what} is ${value}.`);
}
