import type { Batch, Engine } from '../engine/engine.ts';
import { RunningMean } from '../ensemble/running-mean.ts';
import type { LoadWeights, WeightAverage } from '../ensemble/weight-average.ts';
import { WindowMean } from '../ensemble/window-mean.ts';
import { distillationObjective } from '../objective/distillation.ts';
import type { Objective } from '../objective/objective.ts';
import type { Strategy, StrategyOptions, StrategyState } from './strategy.ts';

/**
 * Self-distillation with averaged weights (BERT_SDA of arXiv 2002.10345): the teacher is the model at the
 * mean of the newest K past students. At step t these are θ_0..θ_{t−2}, and θ_0 alone at t = 1; with
 * `poolIncludesStudent` θ_0..θ_{t−1}.
 */
export async function createSda(engine: Engine, options: StrategyOptions): Promise<Strategy> {
  const { window, poolIncludesStudent } = options;
  if (poolIncludesStudent && window === 1) return new StudentAsTeacher(engine, options);
  const pool = window === 'all' ? await RunningMean.create(engine) : await WindowMean.create(engine, window);
  await pool.push(engine.student);
  return new Sda(engine, pool, options);
}

class Sda implements Strategy {
  readonly objective: Objective;
  readonly #engine: Engine;
  readonly #pool: WeightAverage;
  readonly #poolIncludesStudent: boolean;

  constructor(engine: Engine, pool: WeightAverage, options: StrategyOptions) {
    this.objective = distillationObjective(options);
    this.#engine = engine;
    this.#pool = pool;
    this.#poolIncludesStudent = options.poolIncludesStudent;
  }

  get average() {
    return { name: 'teacher' as const, weights: this.#pool.mean };
  }

  async teach(batch: Batch, signal?: AbortSignal): Promise<Float32Array> {
    return (await this.#engine.infer(this.#pool.mean, batch, signal)).data;
  }

  async beforeUpdate(step: number): Promise<void> {
    // θ_{step−1} joins the pool only for the steps to come, so it is copied just before it is overwritten.
    if (!this.#poolIncludesStudent) await this.#take(step - 1);
  }

  async afterUpdate(step: number): Promise<void> {
    if (this.#poolIncludesStudent) await this.#take(step);
  }

  /** Takes in the student, which is θ_index, unless the pool has it: θ_0, or that of a step that failed. */
  async #take(index: number): Promise<void> {
    if (this.#pool.count === index) await this.#pool.push(this.#engine.student);
  }

  state(): StrategyState {
    return { counters: { pool: this.#pool.count }, sets: this.#pool.sets() };
  }

  async restore(counters: StrategyState['counters'], load: LoadWeights): Promise<void> {
    await this.#pool.restore(counters.pool ?? 0, load);
  }

  release(): void {
    this.#pool.release();
  }
}

/** K = 1 with the current student in the pool: the teacher is the student without dropout, and needs no copy. */
class StudentAsTeacher implements Strategy {
  readonly objective: Objective;
  readonly average: Strategy['average'];
  readonly #engine: Engine;
  readonly #dropout: number;

  constructor(engine: Engine, options: StrategyOptions) {
    this.objective = distillationObjective(options);
    this.average = { name: 'teacher', weights: engine.student };
    this.#engine = engine;
    this.#dropout = options.dropout;
  }

  async teach(batch: Batch, signal?: AbortSignal): Promise<Float32Array | 'student'> {
    if (this.#dropout === 0) return 'student';
    return (await this.#engine.infer(this.#engine.student, batch, signal)).data;
  }

  async beforeUpdate(): Promise<void> {}
  async afterUpdate(): Promise<void> {}

  state(): StrategyState {
    return { counters: {}, sets: [] };
  }

  async restore(): Promise<void> {}
  release(): void {}
}
