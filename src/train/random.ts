const mask64 = (1n << 64n) - 1n;

/** The output function of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes all 64 bits. */
function mix64(value: bigint): bigint {
  let z = (value + 0x9e3779b97f4a7c15n) & mask64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
  return z ^ (z >> 31n);
}

/**
 * Key of the dropout stream of one micro-batch: two unsigned 32-bit numbers. It depends on its arguments
 * alone, so a resumed run drops what the uninterrupted one drops; within a step no two keys are the same.
 * @param microBatch index within the step
 */
export function dropoutKey(seed: number, step: number, microBatch: number): [number, number] {
  const key = mix64(mix64(mix64(BigInt(seed)) ^ BigInt(step)) ^ BigInt(microBatch));
  return [Number(key >> 32n), Number(key & 0xffff_ffffn)];
}

/**
 * Seed of one of several runs: the seed itself for run 1, 32 mixed bits of seed and number for those after it.
 * @param run from 1
 */
export function runSeed(seed: number, run: number): number {
  return run === 1 ? seed : Number(mix64(mix64(BigInt(seed)) ^ BigInt(run)) >> 32n);
}
