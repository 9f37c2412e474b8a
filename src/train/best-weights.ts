import type { Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights } from '../ensemble/ensemble.ts';
import type { ModelName, SplitSummary } from './events.ts';
import { isBetter, type MetricName, metricOf } from './metric.ts';

/** Where the best weights came from and how they did on dev. */
export interface BestRecord {
  step: number;
  model: ModelName;
  dev: SplitSummary;
}

/** A copy of the weights that did best on dev so far. Equal scores go to the lower loss, then to the earlier. */
export class BestWeights {
  readonly #engine: Engine;
  readonly #metric: MetricName;
  #weights: Weights | undefined;
  #record: BestRecord | undefined;

  constructor(engine: Engine, metric: MetricName) {
    this.#engine = engine;
    this.#metric = metric;
  }

  /** Undefined before the first evaluation. */
  get current(): { record: BestRecord; weights: Weights } | undefined {
    if (!this.#weights || !this.#record) return undefined;
    return { record: this.#record, weights: this.#weights };
  }

  /** Takes the weights over if they are better; resolves to whether they were. */
  async offer(weights: Weights, record: BestRecord): Promise<boolean> {
    if (this.#record && !this.#better(record.dev, this.#record.dev)) return false;
    this.#weights ??= await this.#engine.createWeights();
    await this.#weights.copyFrom(weights);
    this.#record = record;
    return true;
  }

  #better(challenger: SplitSummary, best: SplitSummary): boolean {
    const [a, b] = [metricOf(challenger, this.#metric), metricOf(best, this.#metric)];
    return a === b ? challenger.loss < best.loss : isBetter(this.#metric, a, b);
  }

  sets(): NamedWeights[] {
    return this.#weights ? [{ name: 'best', weights: this.#weights }] : [];
  }

  async restore(record: BestRecord, load: LoadWeights): Promise<void> {
    this.#weights ??= await this.#engine.createWeights();
    await load('best', this.#weights);
    this.#record = record;
  }

  release(): void {
    this.#weights?.release();
    this.#weights = undefined;
  }
}
