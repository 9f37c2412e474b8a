/**
 * Which tokens of a text that is too long are kept:
 * - `head`: the first ones;
 * - `tail`: the last ones;
 * - `head-tail`: of n kept tokens the first round(n/4) and the last n − round(n/4). Of BERT's 512 tokens, two of
 *   them special, these are the first 128 and the last 382 (Sun et al. 2019, How to Fine-Tune BERT for Text
 *   Classification, §5.3.1).
 *
 * Special tokens are always kept.
 */
export type Truncate = 'head' | 'tail' | 'head-tail';

/** The tokens of one text that are kept when at most `room` may be. */
export function truncate(ids: readonly number[], room: number, which: Truncate): readonly number[] {
  if (ids.length <= room) return ids;
  switch (which) {
    case 'head':
      return ids.slice(0, room);
    case 'tail':
      return ids.slice(ids.length - room);
    case 'head-tail': {
      const head = Math.round(room / 4);
      return [...ids.slice(0, head), ...ids.slice(ids.length - (room - head))];
    }
  }
}

/**
 * How many tokens of each text of a pair are kept when at most `room` may be together: the longer text gives way
 * first, and when both must, each gets half; of an odd room the one more goes to the text that was longer, or to
 * the second of equally long ones. These are the lengths of strategy longest_first in the Rust tokenizers library.
 */
export function longestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const small = Math.min(shorter, Math.floor(room / 2));
  const large = room - small;
  return first > second ? [large, small] : [small, large];
}
