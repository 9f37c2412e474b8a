import type { Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights, WeightAverage } from './weight-average.ts';

/** The mean of all students so far, in one set of weights: mean ← mean + (θ − mean)/n. */
export class RunningMean implements WeightAverage {
  readonly mean: Weights;
  #count = 0;

  private constructor(mean: Weights) {
    this.mean = mean;
  }

  /** The mean is of use once the first student is in. */
  static async create(engine: Engine): Promise<RunningMean> {
    return new RunningMean(await engine.createWeights());
  }

  get count(): number {
    return this.#count;
  }

  async push(student: Weights): Promise<void> {
    this.#count++;
    if (this.#count === 1) await this.mean.copyFrom(student);
    else await this.mean.blend(student, 1 / this.#count);
  }

  sets(): NamedWeights[] {
    return [{ name: 'mean', weights: this.mean }];
  }

  async restore(count: number, load: LoadWeights): Promise<void> {
    await load('mean', this.mean);
    this.#count = count;
  }

  release(): void {
    this.mean.release();
  }
}
