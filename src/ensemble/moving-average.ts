import type { Averaging, Engine, Weights } from '../engine/engine.ts';
import type { EnsembleState, LoadWeights, NamedWeights, WeightAverage } from './ensemble.ts';

/**
 * An exponential moving average that starts at the first student: θ̄ ← d·θ̄ + (1 − d)·θ with d = min(decay, (1 + u)/(10 + u)) for
 * the u-th student after it. The rising decay lets the start be forgotten soon (as TensorFlow's
 * ExponentialMovingAverage does with `num_updates`).
 */
export class MovingAverage implements WeightAverage {
  readonly mean: Weights;
  readonly #decay: number;
  #count = 0;

  private constructor(mean: Weights, decay: number) {
    this.mean = mean;
    this.#decay = decay;
  }

  static async create(engine: Engine, decay: number): Promise<MovingAverage> {
    return new MovingAverage(await engine.createWeights(), decay);
  }

  get count(): number {
    return this.#count;
  }

  async next(): Promise<Averaging[]> {
    const u = this.#count;
    if (u === 0) return [{ kind: 'copy', into: this.mean }];
    return [{ kind: 'blend', into: this.mean, weight: 1 - Math.min(this.#decay, (1 + u) / (10 + u)) }];
  }

  taken(): void {
    this.#count++;
  }

  state(): EnsembleState {
    return { count: this.#count };
  }

  sets(): NamedWeights[] {
    return [{ name: 'mean', weights: this.mean }];
  }

  async restore({ count }: EnsembleState, load: LoadWeights): Promise<void> {
    await load('mean', this.mean);
    this.#count = count;
  }

  release(): void {
    this.mean.release();
  }
}
