import type { Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights, WeightAverage } from './weight-average.ts';

/**
 * The mean of the newest K students; of all there are while they are fewer. Holds K sets of weights and
 * their mean, which is recomputed from the sets at each push: adding and subtracting would drift. With
 * K = 1 the one set is the mean.
 */
export class WindowMean implements WeightAverage {
  readonly #engine: Engine;
  readonly #window: number;
  /** Oldest first, so that the order of summation depends on the students alone. */
  readonly #members: Weights[] = [];
  readonly #mean: Weights | undefined;
  #count = 0;

  private constructor(engine: Engine, window: number, mean: Weights | undefined) {
    this.#engine = engine;
    this.#window = window;
    this.#mean = mean;
  }

  /** The mean is of use once the first student is in. */
  static async create(engine: Engine, window: number): Promise<WindowMean> {
    return new WindowMean(engine, window, window > 1 ? await engine.createWeights() : undefined);
  }

  get count(): number {
    return this.#count;
  }

  get mean(): Weights {
    return this.#mean ?? this.#members[0]!;
  }

  async push(student: Weights): Promise<void> {
    const full = this.#members.length === this.#window;
    const slot = full ? this.#members.shift()! : await this.#engine.createWeights();
    this.#members.push(slot);
    await slot.copyFrom(student);
    this.#count++;
    await this.#mean?.meanOf(this.#members);
  }

  sets(): NamedWeights[] {
    return this.#members.map((weights, i) => ({ name: `member-${i}`, weights }));
  }

  async restore(count: number, load: LoadWeights): Promise<void> {
    const members = Math.min(count, this.#window);
    while (this.#members.length < members) this.#members.push(await this.#engine.createWeights());
    for (const { name, weights } of this.sets()) await load(name, weights);
    await this.#mean?.meanOf(this.#members);
    this.#count = count;
  }

  release(): void {
    this.#mean?.release();
    for (const member of this.#members) member.release();
  }
}
