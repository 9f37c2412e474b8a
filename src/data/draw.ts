import type { Example } from './example.ts';
import { shuffled } from './shuffle.ts';

/**
 * Draws some of the examples at random, every label in its share, and keeps them in the file's order. The same seed
 * draws the same ones, and all of them again when it draws more.
 * @param count how many; all there are when that is more
 */
export function drawExamples(examples: readonly Example[], count: number, seed: number): Example[] {
  const order = shuffled(examples.length, seed, 0);
  const sizes = new Map<Example['label'], number>();
  for (const { label } of examples) sizes.set(label, (sizes.get(label) ?? 0) + 1);

  // The r-th of a label's n examples comes at (r + ½)/n of the way: at any point every label is in its share.
  const drawn = new Map<Example['label'], number>();
  const places = Array.from(order, (index) => {
    const { label } = examples[index]!;
    const rank = drawn.get(label) ?? 0;
    drawn.set(label, rank + 1);
    return { index, place: (rank + 0.5) / sizes.get(label)! };
  });
  places.sort((a, b) => a.place - b.place); // stable: equal places stay in random order
  const chosen = places.slice(0, count).map(({ index }) => index);
  return chosen.sort((a, b) => a - b).map((index) => examples[index]!);
}
