import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { InitializeWeights } from './bert-graph.ts';

/**
 * Normal numbers of mean 0 and the given standard deviation, up to six of them away: sums of twelve uniform
 * 16-bit integers (Irwin–Hall), whose variance is 65536² − 1. Integer arithmetic to the last multiplication, so
 * the same seed gives the same bits on every machine.
 */
export function normalWeights(seed: number, deviation: number): InitializeWeights {
  const random = xoroshiro128plus(seed);
  const mean = (12 * 65535) / 2;
  return (elements) => {
    const values = new Float32Array(elements);
    for (let i = 0; i < elements; i++) {
      let sum = 0;
      for (let draw = 0; draw < 6; draw++) {
        const bits = random.next();
        sum += (bits & 0xffff) + (bits >>> 16);
      }
      values[i] = ((sum - mean) / 65536) * deviation;
    }
    return values;
  };
}
