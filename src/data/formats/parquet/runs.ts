/**
 * Parquet's encodings of integers say in a few bytes how many values follow. These checks walk what hyparquet is about
 * to decode, so that no run claims more than its page has and none of its loops is without end.
 */

/** An encoded run that claims what its page does not hold. */
export class RunError extends Error {}

/** The last bit-packed run of a page is filled up to as many values as writers put in one. */
const PADDING = 512;
/** Values of a block and its miniblocks: writers take 128 and 4. */
const MAX_BLOCK = 2 ** 16;

class Cursor {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** An unsigned number of at most 32 bits, seven in each byte. */
  varint(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new RunError('ends inside a number');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80 && value < 2 ** 32) return value;
    }
    throw new RunError('has a number of more than 32 bits');
  }
}

/**
 * Checks the runs of `count` values, each repeated (RLE) or bit-packed.
 * @param width bits of a value
 */
export function checkRuns(bytes: Uint8Array, start: number, width: number, count: number): void {
  if (width > 32) throw new RunError(`has values of ${width} bits`);
  const cursor = new Cursor(bytes, start);
  for (let seen = 0; seen < count; ) {
    const header = cursor.varint();
    const packed = header % 2 === 1;
    const values = packed ? 8 * Math.floor(header / 2) : Math.floor(header / 2);
    if (values > count + (packed ? PADDING : 0)) {
      throw new RunError(`has a run of ${values} values, and ${count} in all`);
    }
    seen += values;
    cursor.at += packed ? (values / 8) * width : Math.ceil(width / 8);
  }
}

/**
 * Checks the header of `count` values stored as differences (DELTA_BINARY_PACKED). What follows is read to the page's
 * end at most.
 */
export function checkDeltas(bytes: Uint8Array, start: number, count: number): void {
  const cursor = new Cursor(bytes, start);
  const block = cursor.varint();
  const miniblocks = cursor.varint();
  const total = cursor.varint();
  const whole = miniblocks > 0 && block % miniblocks === 0 && (block / miniblocks) % 8 === 0;
  if (block === 0 || block > MAX_BLOCK || !whole) {
    throw new RunError(`has blocks of ${block} values in ${miniblocks} parts`);
  }
  if (total !== count) throw new RunError(`has ${total} differences for ${count} values`);
}
