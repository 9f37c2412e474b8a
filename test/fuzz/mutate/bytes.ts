import type { Random } from '../random.ts';

/** Numbers at the edges of what sizes, offsets and counts are stored in. */
export const edges: readonly bigint[] = [
  ...[0n, 1n, -1n, 2n, -2n, 3n, 4n, 7n, 8n, 127n, 128n, 255n, 256n, 1000n],
  ...[15, 16, 31, 32, 33, 40, 53, 62].flatMap((bits) => [2n ** BigInt(bits) - 1n, 2n ** BigInt(bits)]),
  ...[-(2n ** 31n), -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n), 10n ** 10n],
];

/**
 * Changes some bytes: flips, cuts, repeats, splices, writes numbers at the edges as integers of all kinds.
 * @param tokens what means something in the format
 * @param others to splice in parts of
 */
export function mutateBytes(
  random: Random,
  bytes: Uint8Array,
  { tokens = [], others = [] }: { tokens?: readonly Uint8Array[]; others?: readonly Uint8Array[] } = {},
): Uint8Array {
  let result = Buffer.from(bytes);
  for (let left = random.few(6); left > 0; left--) result = mutateOnce(random, result, tokens, others);
  return result;
}

function mutateOnce(
  random: Random,
  bytes: Buffer,
  tokens: readonly Uint8Array[],
  others: readonly Uint8Array[],
): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const length = Math.min(random.pick([1, 2, 4, 8, 16, 64, 300, 4000]), bytes.length - at);
  const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)];
  const rest = bytes.subarray(at + length);
  switch (random.below(9)) {
    case 0:
      return Buffer.from(before);
    case 1:
      return Buffer.concat([before, rest]);
    case 2:
      return Buffer.concat([before, part, after]);
    case 3:
      return Buffer.concat([before, ...Array<Buffer>(repeats(random, part.length)).fill(part), rest]);
    case 4:
      return overwritten(bytes, at, edgeBytes(random));
    case 5:
      return Buffer.concat([before, tokens.length > 0 ? random.pick(tokens) : edgeBytes(random), after]);
    case 6: {
      const other = others.length > 0 ? random.pick(others) : bytes;
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.pick([4, 40, 400, 4000])), rest]);
    }
    case 7:
      return overwritten(bytes, at, Buffer.from([random.below(256)]));
    default:
      return overwritten(bytes, at, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]));
  }
}

/** Seldom enough to make a file large: those take most of the time. */
function repeats(random: Random, length: number): number {
  return random.once(20) ? Math.min(5000, Math.ceil(200_000 / Math.max(1, length))) : random.pick([2, 30]);
}

function overwritten(bytes: Buffer, at: number, by: Uint8Array): Buffer<ArrayBuffer> {
  const result = Buffer.from(bytes);
  result.set(by.subarray(0, result.length - at), at);
  return result;
}

/** A number at an edge as a little-endian integer or a varint. */
function edgeBytes(random: Random): Buffer {
  const value = random.pick(edges);
  const size = random.pick([0, 2, 4, 8]);
  if (size === 0) return varint(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return bytes.subarray(0, size);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
