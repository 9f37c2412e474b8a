import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * The numbers 0..count−1 in a random order that depends on nothing but the arguments.
 * @param stream which of the seed's random streams to draw from, from 0: each is 2⁶⁴ draws away from the next
 */
export function shuffled(count: number, seed: number, stream: number): Uint32Array {
  const generator = xoroshiro128plus(seed);
  // The first outputs of neighbouring seeds resemble each other; one jump mixes the state well.
  for (let i = 0; i <= stream; i++) generator.jump();
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  // Fisher–Yates
  for (let last = count - 1; last > 0; last--) {
    const pick = uniformInt(generator, 0, last);
    const value = order[last]!;
    order[last] = order[pick]!;
    order[pick] = value;
  }
  return order;
}
