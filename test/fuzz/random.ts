import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';

/** The random choices of one case, which follow from the run's seed and the case's number alone. */
export class Random {
  readonly #generator: JumpableRandomGenerator;

  constructor(seed: number, index: number) {
    this.#generator = xoroshiro128plus((Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) | 0);
    this.#generator.jump(); // the first outputs of neighbouring seeds resemble each other
  }

  /** An integer from 0 to count − 1. */
  below(count: number): number {
    return uniformInt(this.#generator, 0, count - 1);
  }

  /** @param values at least one */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** 1 in half of the cases, 2 in a quarter, and so on up to `most`. */
  few(most: number): number {
    let count = 1;
    while (count < most && this.once(2)) count++;
    return count;
  }
}
