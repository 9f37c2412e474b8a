import type { Part } from '../part.ts';
import { type Match, type Pattern, patternOf } from '../pattern.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';

/** What becomes of the matches: the delimiters between the words. */
export const behaviors = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
] as const;
export type Behavior = (typeof behaviors)[number];

/** A piece of text, and whether it matched. */
interface Piece extends Match {
  matched: boolean;
}

/** The Split pre-tokenizer. */
export function split(part: Part): PreTokenizer {
  const pattern = patternOf(part);
  const behavior = behaviorOf(part);
  const invert = part.boolean('invert', false);
  return (text) => splitText(text, pattern, behavior, invert);
}

/** @param fallback when the part has no behavior; without one it must have */
export function behaviorOf(part: Part, fallback?: Behavior): Behavior {
  const name = part.string('behavior', fallback);
  const found = behaviors.find((behavior) => behavior === name);
  if (found === undefined) throw part.wrong('behavior', `one of ${behaviors.join(', ')}`, name);
  return found;
}

/**
 * Splits text at the matches of a pattern.
 * @param invert take what is between the matches for the matches
 */
export function splitText(text: string, pattern: Pattern, behavior: Behavior, invert = false): string[] {
  const words: string[] = [];
  let start = -1;
  let end = 0;
  let previous = false;
  const close = () => {
    if (start >= 0) words.push(text.slice(start, end));
  };
  for (const piece of pieces(text, pattern)) {
    const matched = piece.matched !== invert;
    const joined =
      (behavior === 'Contiguous' && start >= 0 && matched === previous) ||
      (behavior === 'MergedWithPrevious' && start >= 0 && matched && !previous) ||
      (behavior === 'MergedWithNext' && start >= 0 && !matched && previous);
    if (!joined) {
      close();
      start = piece.start;
    }
    end = piece.end;
    previous = matched;
    if (behavior === 'Removed' && matched) end = start; // leaves an empty word
  }
  close();
  return words;
}

/** The matches of a pattern and what is between them. */
function* pieces(text: string, pattern: Pattern): Generator<Piece> {
  let end = 0;
  for (const match of pattern(text)) {
    if (match.start > end) yield { start: end, end: match.start, matched: false };
    yield { ...match, matched: true };
    end = match.end;
  }
  if (end < text.length) yield { start: end, end: text.length, matched: false };
}
