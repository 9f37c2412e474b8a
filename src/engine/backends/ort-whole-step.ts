import type { HostTensor, NativeAddon, NativeArena } from '../contract.ts';
import type {
  Averaging,
  Batch,
  ForwardOptions,
  Learned,
  Lesson,
  Logits,
  Parameter,
  UpdateOptions,
} from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import type { ModelState } from './arena-engine.ts';
import type { Float32Weights, WeightSlice } from './arena-weights.ts';
import { feedBatch } from './feeds.ts';
import { type SessionModels, SQUARED_NORM, type TrainingOutputs } from './ort-training-models.ts';
import {
  BLEND,
  LABELS,
  LAMBDA,
  ROW_WEIGHTS,
  TEACHER,
  teacherParameters,
  wholeStepModels,
  wholeStepParts,
} from './ort-whole-step-models.ts';
import { ResidentWeights } from './resident-weights.ts';
import { toLogits } from './sessions.ts';
import { type SessionSetup, step, TrainingSessionEngine } from './training-session-engine.ts';

/** A moving or running mean, which the session can do itself. */
type Blend = Extract<Averaging, { kind: 'blend' | 'running-mean' }>;

/**
 * One call computes a step's forward passes, the gradient of its loss, and the backward pass. The teacher's weights are
 * parameters of the session too, where their moving or running mean is kept, so that no set of weights crosses to the host
 * between evaluations (with the session's own optimizer).
 */
export class WholeStepEngine extends TrainingSessionEngine {
  readonly #teaches: boolean;
  #teacher: ResidentWeights | undefined;
  #norm = 0;

  constructor(
    addon: NativeAddon,
    plan: TrainingPlan,
    state: ModelState,
    setup: SessionSetup,
    teaches: boolean,
  ) {
    super(addon, plan, state, setup);
    this.#teaches = teaches;
  }

  protected models(out: Pick<TrainingOutputs, 'gradients'>): SessionModels {
    return wholeStepModels(this.plan, this.#teaches, { ...out, norm: true });
  }

  protected override frozenParameters(): readonly Parameter[] {
    const { frozen } = this.plan;
    return this.#teaches ? [...frozen, ...teacherParameters(this.plan)] : frozen;
  }

  /** Until a step names the teacher, its place has the student's weights. */
  protected override frozenSlices(): WeightSlice[] {
    const frozen = super.frozenSlices();
    return this.#teaches ? [...frozen, ...this.student.slices(TEACHER)] : frozen;
  }

  protected override float32Weights(arena: NativeArena): Float32Weights {
    return new ResidentWeights(this.addon, this.layout, arena);
  }

  async learn(batch: Batch, lesson: Lesson, options: ForwardOptions): Promise<Learned> {
    const { logits } = this.plan;
    await this.#seat(lesson.teacher as ResidentWeights | undefined);
    await this.student.handOver();
    const given = feedBatch(this.plan, batch, options.dropoutKey);
    const feeds = { ...given, ...this.#feedLesson(batch, lesson), ...(await this.#feedShapes(given)) };
    const teacherLogits = TEACHER + logits;
    const fetch = [...new Set([logits, SQUARED_NORM, ...(this.#teaches ? [teacherLogits] : [])])];
    const { fetched } = await this.gather({ feeds, fetch }, options.signal);
    this.#norm = Number(fetched[SQUARED_NORM]!.data[0]);
    return {
      logits: toLogits(fetched[logits]!),
      ...(lesson.teacher && { teacherLogits: toLogits(fetched[teacherLogits]!) }),
    };
  }

  #feedLesson(batch: Batch, { labels, weight, lambda, teacher }: Lesson): Record<string, HostTensor> {
    const { rows } = batch;
    const of = (value: (row: number) => number) =>
      Array.from({ length: rows }, (_, row) => (row < labels.length ? value(row) : 0));
    return {
      [LABELS]: {
        dtype: 'int64',
        dims: [rows],
        data: BigInt64Array.from(
          of((row) => labels[row]!),
          BigInt,
        ),
      },
      [ROW_WEIGHTS]: { dtype: 'float32', dims: [rows, 1], data: Float32Array.from(of(() => weight)) },
      ...(this.#teaches && {
        [LAMBDA]: { dtype: 'float32', dims: [1], data: Float32Array.of(teacher ? lambda : 0) },
      }),
    };
  }

  /** The shapes that each part is fed. */
  async #feedShapes(batch: Record<string, HostTensor>): Promise<Record<string, HostTensor>> {
    const feeds: Record<string, HostTensor> = {};
    for (const { graph, prefix } of wholeStepParts(this.plan, this.#teaches)) {
      const shapes = await this.shapes.shapesOf(graph, batch);
      for (const [name, shape] of Object.entries(shapes)) feeds[prefix + name] = shape;
    }
    return feeds;
  }

  /** Gives the session the teacher's weights. */
  async #seat(teacher: ResidentWeights | undefined): Promise<void> {
    if (teacher && teacher !== this.#teacher) {
      await this.#teacher?.leave();
      teacher.enter(await this.session(), TEACHER);
      teacher.touch();
      this.#teacher = teacher;
    }
    await this.#teacher?.handOver();
  }

  override async update({
    before = [],
    after = [],
    ...options
  }: UpdateOptions): Promise<{ gradNorm: number }> {
    const [blendsBefore, othersBefore] = this.#apart(before);
    const [blendsAfter, othersAfter] = this.#apart(after);
    const isSound = Number.isFinite(this.#norm);
    if (isSound) await this.#blend(blendsBefore);
    const result = await super.update({ ...options, before: othersBefore, after: othersAfter });
    if (isSound) await this.#blend(blendsAfter);
    return result;
  }

  /** What the session can do, and the rest. */
  #apart(averages: readonly Averaging[]): [Blend[], Averaging[]] {
    const isBlend = (each: Averaging): each is Blend =>
      each.into === this.#teacher && (each.kind === 'blend' || each.kind === 'running-mean');
    return [averages.filter(isBlend), averages.filter((each) => !isBlend(each))];
  }

  async #blend(averages: readonly Blend[]): Promise<void> {
    for (const averaging of averages) {
      const share = averaging.kind === 'blend' ? averaging.weight : 1 / averaging.count;
      const session = await this.session();
      await this.student.handOver();
      await this.#teacher!.handOver();
      const blend: HostTensor = { dtype: 'float32', dims: [1], data: Float32Array.of(share) };
      await step(undefined, () => session.evalStep({ feeds: { [BLEND]: blend }, fetch: [] }));
      this.#teacher!.touchInSession();
    }
  }

  protected override async leaveSession(): Promise<void> {
    await this.#teacher?.leave();
    this.#teacher = undefined;
    await super.leaveSession();
  }

  forward(): Promise<Logits> {
    throw new Error('an engine of whole steps has learn() in place of forward() and backward()');
  }

  backward(): Promise<void> {
    return this.forward() as Promise<never>;
  }
}
