import type { Random } from '../random.ts';
import { edges, mutateBytes } from './bytes.ts';

/**
 * Changes numbers in the Thrift structs of a Parquet file: its footer, or the header of a page. A number of as many
 * bytes leaves everything else where it is; the footer's length is set right.
 */
export function mutateThrift(random: Random, file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file);
  const length = bytes.readUInt32LE(bytes.length - 8);
  const start = bytes.length - 8 - length;
  const footer = bytes.subarray(start, start + length);
  if (random.once(3)) {
    // The first page's header, or anything like it further on.
    const body = bytes.subarray(0, start);
    const from = random.once(2) ? 4 : random.below(body.length);
    const page = changeNumbers(random, body.subarray(from), 3);
    return Buffer.concat([
      body.subarray(0, from),
      page.subarray(0, body.length - from),
      bytes.subarray(start),
    ]);
  }
  const changed = random.once(5) ? mutateBytes(random, footer) : changeNumbers(random, footer, 6);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(changed.length);
  return Buffer.concat([bytes.subarray(0, start), changed, size, bytes.subarray(-4)]);
}

/** Overwrites some varints, or puts longer ones in their place. */
function changeNumbers(random: Random, bytes: Uint8Array, most: number): Uint8Array {
  let result = Buffer.from(bytes);
  for (let left = random.few(most); left > 0; left--) {
    const at = random.below(result.length);
    const value = random.once(2) ? BigInt(random.below(64)) : BigInt.asUintN(64, random.pick(edges));
    const end = result.findIndex((byte, index) => index >= at && byte < 0x80) + 1;
    const number = varint(value, random.once(2) ? Math.max(1, end - at) : 1);
    result = Buffer.concat([result.subarray(0, at), number, result.subarray(Math.max(end, at))]);
  }
  return result;
}

/** Of at least so many bytes, with zeros where it would need fewer. */
function varint(value: bigint, least: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length < least; rest >>= 7n)
    bytes.push(Number(rest & 127n) | 128);
  bytes[bytes.length - 1]! &= 127;
  return Buffer.from(bytes);
}
