import type { Averaging, Engine, WeightStorage, Weights } from '../engine/engine.ts';
import type { Ensemble, EnsembleState, LoadWeights, NamedWeights } from './ensemble.ts';
import { choose, type Selection } from './selection.ts';
import { Snapshots } from './snapshots.ts';

/** Which students a pool holds and which of them count. */
export interface PoolOptions {
  /** M: how many it holds, the newest. */
  size: number;
  /** K ≤ M: how many of them are chosen. */
  window: number;
  select: Selection;
  storage: WeightStorage;
  /** What `best` chooses by, the lower the better; measured when a student is taken in. */
  score?: (weights: Weights) => Promise<number>;
}

/** The newest students themselves, for a teacher that asks each of them. */
export class Pool implements Ensemble {
  readonly #options: PoolOptions;
  readonly #snapshots: Snapshots;
  #count = 0;

  constructor(engine: Engine, options: PoolOptions) {
    this.#options = options;
    this.#snapshots = new Snapshots(engine, options.size, options);
  }

  get count(): number {
    return this.#count;
  }

  /** The K chosen ones, oldest first; all while they are fewer. */
  get chosen(): Weights[] {
    const { held, scores } = this.#snapshots;
    const { window, select } = this.#options;
    return choose(scores, window, select).map((index) => held[index]!.weights);
  }

  next(): Promise<Averaging[]> {
    return this.#snapshots.next();
  }

  taken(): void {
    this.#snapshots.taken();
    this.#count++;
  }

  state(): EnsembleState {
    return { count: this.#count, scores: this.#snapshots.scores };
  }

  sets(): NamedWeights[] {
    return this.#snapshots.sets();
  }

  async restore({ count, scores = [] }: EnsembleState, load: LoadWeights): Promise<void> {
    await this.#snapshots.restore(scores, load);
    this.#count = count;
  }

  release(): void {
    this.#snapshots.release();
  }
}
