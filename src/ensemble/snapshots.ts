import type { Averaging, Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights } from './ensemble.ts';
import type { PoolOptions } from './pool.ts';

/** A student of a past step. */
export interface Snapshot {
  weights: Weights;
  /** Its loss on dev when it was taken, where the pool chooses by that. */
  score: number;
}

/** The newest students, oldest first, at most so many; the oldest one's memory serves the next. */
export class Snapshots {
  readonly #engine: Engine;
  readonly #capacity: number;
  readonly #options: Pick<PoolOptions, 'storage' | 'score'>;
  readonly #held: Snapshot[] = [];
  #weights: Weights | undefined;
  #score = 0;

  constructor(engine: Engine, capacity: number, options: Pick<PoolOptions, 'storage' | 'score'>) {
    this.#engine = engine;
    this.#capacity = capacity;
    this.#options = options;
  }

  get held(): readonly Snapshot[] {
    return this.#held;
  }

  /** The score of the student that `next` was asked for. */
  get score(): number {
    return this.#score;
  }

  /** What keeps the student; nothing where none is kept. */
  async next(): Promise<Averaging[]> {
    this.#score = (await this.#options.score?.(this.#engine.student)) ?? 0;
    if (this.#capacity === 0) return [];
    if (this.#held.length === this.#capacity) this.#weights = this.#held[0]!.weights;
    this.#weights ??= await this.#engine.createWeights(this.#options.storage);
    return [{ kind: 'copy', into: this.#weights }];
  }

  taken(): void {
    if (this.#weights === undefined) return;
    if (this.#held.length === this.#capacity) this.#held.shift();
    this.#held.push({ weights: this.#weights, score: this.#score });
    this.#weights = undefined;
  }

  get scores(): number[] {
    return this.#held.map(({ score }) => score);
  }

  sets(): NamedWeights[] {
    return this.#held.map(({ weights }, i) => ({ name: `member-${i}`, weights }));
  }

  /** @param scores of those that were held, oldest first */
  async restore(scores: readonly number[], load: LoadWeights): Promise<void> {
    for (const score of scores)
      this.#held.push({ weights: await this.#engine.createWeights(this.#options.storage), score });
    for (const { name, weights } of this.sets()) await load(name, weights);
  }

  release(): void {
    for (const { weights } of this.#held) weights.release();
    if (!this.#held.some(({ weights }) => weights === this.#weights)) this.#weights?.release();
  }
}
