import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

// Every stream is a function of the seed and of counters, never of what was drawn before: a resumed run
// draws what the uninterrupted one draws.

/** What a stream is for; the numbers are part of what a seed means. */
const purposes = { order: 1, dropout: 2, split: 3 } as const;

const mask64 = (1n << 64n) - 1n;

/** The output function of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes all 64 bits. */
function mix64(value: bigint): bigint {
  let z = (value + 0x9e3779b97f4a7c15n) & mask64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
  return z ^ (z >> 31n);
}

function hash64(seed: number, purpose: keyof typeof purposes, ...counters: number[]): bigint {
  let hash = mix64(BigInt(seed));
  for (const counter of [purposes[purpose], ...counters]) hash = mix64(hash ^ BigInt(counter));
  return hash;
}

const high = (value: bigint) => Number(value >> 32n);
const low = (value: bigint) => Number(value & 0xffff_ffffn);

function shuffled(count: number, hash: bigint): Int32Array {
  const second = mix64(hash);
  const generator = xoroshiro128plusFromState([
    high(hash) | 0,
    low(hash) | 0,
    high(second) | 0,
    low(second) | 0,
  ]);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

/** Order of `count` examples in an epoch (0-based). */
export function epochOrder(seed: number, epoch: number, count: number): Int32Array {
  return shuffled(count, hash64(seed, 'order', epoch));
}

/** Order in which examples are set aside when one file is split. */
export function splitOrder(seed: number, count: number): Int32Array {
  return shuffled(count, hash64(seed, 'split'));
}

/** Key of the dropout stream of one micro-batch: two unsigned 32-bit numbers. */
export function dropoutKey(seed: number, step: number, microBatch: number): [number, number] {
  const hash = hash64(seed, 'dropout', step, microBatch);
  return [high(hash), low(hash)];
}
