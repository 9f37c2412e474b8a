import type { NativeTrainingSession } from '../contract.ts';
import { Float32Weights, slices, type WeightSlice } from './arena-weights.ts';

/** A set of weights that a training session may have too, under its parameters' names behind a prefix. */
export class ResidentWeights extends Float32Weights {
  #session: { session: NativeTrainingSession; prefix: string } | undefined;
  /** Where they changed last; undefined when both have the same. */
  #newer: 'arena' | 'session' | undefined;

  /** The session has them from now on, as they are. */
  enter(session: NativeTrainingSession, prefix: string): void {
    this.#session = { session, prefix };
    this.#newer = undefined;
  }

  /** The session has them no more. */
  async leave(): Promise<void> {
    await this.settle();
    this.#session = undefined;
  }

  /** Gives the session the weights where they changed here. */
  async handOver(): Promise<void> {
    if (this.#newer !== 'arena') return;
    this.#newer = undefined;
    await this.#session?.session.write(this.slices(this.#session.prefix));
  }

  /** The session changed its weights. */
  touchInSession(): void {
    this.#newer = 'session';
  }

  override async settle(): Promise<void> {
    if (this.#newer !== 'session') return;
    this.#newer = undefined;
    await this.#session?.session.read(this.slices(this.#session.prefix));
  }

  override touch(): void {
    this.#newer = 'arena';
  }

  /** Where they lie, under the parameters' names behind a prefix. */
  slices(prefix: string): WeightSlice[] {
    const names = [...this.layout.places.keys()];
    return slices(names, this).map((slice) => ({ ...slice, name: prefix + slice.name }));
  }
}
