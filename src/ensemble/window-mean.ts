import type { Averaging, Engine, Weights } from '../engine/engine.ts';
import type { EnsembleState, LoadWeights, NamedWeights, WeightAverage } from './ensemble.ts';
import type { PoolOptions } from './pool.ts';
import { choose } from './selection.ts';
import { Snapshots } from './snapshots.ts';

/**
 * The mean of K students chosen from the newest M; of all there are while they are fewer. It is computed from the
 * students themselves each time: adding and subtracting would drift. Besides the mean it holds M − 1 students, as the
 * oldest of M is never needed once the next is there. So it takes M sets of weights; one, the mean, when M is 1.
 */
export class WindowMean implements WeightAverage {
  readonly mean: Weights;
  readonly #options: PoolOptions;
  readonly #engine: Engine;
  readonly #others: Snapshots;
  #count = 0;

  private constructor(engine: Engine, mean: Weights, options: PoolOptions) {
    this.#engine = engine;
    this.mean = mean;
    this.#options = options;
    this.#others = new Snapshots(engine, options.size - 1, options);
  }

  static async create(engine: Engine, options: PoolOptions): Promise<WindowMean> {
    return new WindowMean(engine, await engine.createWeights(), options);
  }

  get count(): number {
    return this.#count;
  }

  async next(): Promise<Averaging[]> {
    const keep = await this.#others.next();
    const { held, scores, score } = this.#others;
    const chosen = new Set(choose([...scores, score], this.#options.window, this.#options.select));
    const others = held.filter((_, index) => chosen.has(index)).map(({ weights }) => weights);
    // The mean first: the copy may take the place of one of its members.
    if (chosen.has(held.length)) return [{ kind: 'mean', into: this.mean, others }, ...keep];
    await this.#engine.mean(this.mean, others);
    return keep;
  }

  taken(): void {
    this.#others.taken();
    this.#count++;
  }

  state(): EnsembleState {
    return { count: this.#count, scores: this.#others.scores };
  }

  sets(): NamedWeights[] {
    return [{ name: 'mean', weights: this.mean }, ...this.#others.sets()];
  }

  async restore({ count, scores = [] }: EnsembleState, load: LoadWeights): Promise<void> {
    await load('mean', this.mean);
    await this.#others.restore(scores, load);
    this.#count = count;
  }

  release(): void {
    this.mean.release();
    this.#others.release();
  }
}
