import type { Averaging, Engine } from '../engine/engine.ts';
import type { Ensemble } from './ensemble.ts';

/** Which students an ensemble takes in, and when. */
export interface IntakeOptions {
  /** S: the first step that counts; the run begins, for the ensemble, with θ_{S−1}. 1-based. */
  start: number;
  /** N: of θ_{S−1}, θ_S, … every N-th is taken. */
  every: number;
  /** Whether θ_{S−1} is. */
  initial: boolean;
  /** Whether θ_t is taken as soon as update t has made it; else when the next update replaces it. */
  current: boolean;
}

/** Feeds an ensemble with the students of a run, in the passes the updates make over the weights. */
export class Intake {
  readonly #engine: Engine;
  readonly #ensemble: Ensemble;
  readonly #options: IntakeOptions;
  #taking = false;

  constructor(engine: Engine, ensemble: Ensemble, options: IntakeOptions) {
    this.#engine = engine;
    this.#ensemble = ensemble;
    this.#options = options;
  }

  /** The student is θ_{step−1}, before the step's first pass. */
  async begin(step: number): Promise<void> {
    const { start, initial } = this.#options;
    if (!initial || step !== start || this.#ensemble.count > 0) return;
    await this.#engine.average(this.#engine.student, await this.#ensemble.next());
    this.#ensemble.taken();
  }

  /** What the update of the step, which makes θ_step of θ_{step−1}, does on its way. */
  async passes(step: number): Promise<{ before?: Averaging[]; after?: Averaging[] }> {
    const { start, every, current } = this.#options;
    const sinceStart = (current ? step : step - 1) - (start - 1);
    this.#taking = sinceStart > 0 && sinceStart % every === 0;
    if (!this.#taking) return {};
    return { [current ? 'after' : 'before']: await this.#ensemble.next() };
  }

  /** The update was done. */
  updated(): void {
    if (this.#taking) this.#ensemble.taken();
  }
}
