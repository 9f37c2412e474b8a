import type { Averaging, Engine, Weights } from '../engine/engine.ts';
import type { EnsembleState, LoadWeights, NamedWeights, WeightAverage } from './ensemble.ts';

/**
 * The mean of all students so far: mean ← mean + (θ − mean)/n, in one set of weights and half a one for what float32
 * rounds off. Without the latter a mean of thousands stands still, as each addition is below its last digit.
 */
export class RunningMean implements WeightAverage {
  readonly mean: Weights;
  readonly #residual: Weights;
  #count = 0;

  private constructor(mean: Weights, residual: Weights) {
    this.mean = mean;
    this.#residual = residual;
  }

  static async create(engine: Engine): Promise<RunningMean> {
    return new RunningMean(await engine.createWeights(), await engine.createWeights('bf16'));
  }

  get count(): number {
    return this.#count;
  }

  async next(): Promise<Averaging[]> {
    // Of one set the mean is that set, whatever mean and residual were before.
    return [{ kind: 'running-mean', into: this.mean, residual: this.#residual, count: this.#count + 1 }];
  }

  taken(): void {
    this.#count++;
  }

  state(): EnsembleState {
    return { count: this.#count };
  }

  sets(): NamedWeights[] {
    return [
      { name: 'mean', weights: this.mean },
      { name: 'residual', weights: this.#residual },
    ];
  }

  async restore({ count }: EnsembleState, load: LoadWeights): Promise<void> {
    for (const { name, weights } of this.sets()) await load(name, weights);
    this.#count = count;
  }

  release(): void {
    for (const { weights } of this.sets()) weights.release();
  }
}
