/** How a teacher chooses K students of those a pool holds. */
export type Selection = 'recent' | 'best' | 'spaced';

/**
 * The indices of the chosen, ascending:
 * - `recent`: the newest K;
 * - `best`: the K with the lowest score, of equal ones the newer;
 * - `spaced`: K at even distances from the oldest to the newest, which alone is chosen when K is 1.
 *
 * @param scores of the students held, oldest first
 */
export function choose(scores: readonly number[], k: number, how: Selection): number[] {
  const held = scores.length;
  const all = scores.map((_, index) => index);
  if (held <= k) return all;
  switch (how) {
    case 'recent':
      return all.slice(held - k);
    case 'best':
      return all
        .sort((a, b) => scores[a]! - scores[b]! || b - a)
        .slice(0, k)
        .sort((a, b) => a - b);
    case 'spaced':
      if (k === 1) return [held - 1];
      return Array.from({ length: k }, (_, i) => Math.round((i * (held - 1)) / (k - 1)));
  }
}
