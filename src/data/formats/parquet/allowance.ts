import { dataError } from '../format.ts';

/** What any file may take in memory, and how often its own size. */
const BASE = 64 * 2 ** 20;
const RATIO = 12;

/**
 * How much a file may unfold to. Parquet compresses and says how often values repeat, so a kilobyte can claim ten
 * gigabytes; text that people write shrinks to a tenth at most.
 */
export class Allowance {
  readonly #file: string;
  readonly #total: number;
  #left: number;

  /** @param size of the file, in bytes */
  constructor(file: string, size: number) {
    this.#file = file;
    this.#total = BASE + RATIO * size;
    this.#left = this.#total;
  }

  /**
   * To be asked before the bytes are allocated.
   * @throws SesdError SESD_BAD_DATA when they are more than are left
   */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    throw dataError(
      this.#file,
      undefined,
      `the file claims to unfold to more than ${Math.floor(this.#total / 2 ** 20)} MB: ${BASE / 2 ** 20} MB and ${RATIO} times its size`,
      { hint: 'It is damaged, or made to fill the memory. If it is neither, convert it to .jsonl.' },
    );
  }
}
