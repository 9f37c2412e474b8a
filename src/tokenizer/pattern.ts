import type { Part } from './part.ts';
import { compileRegex } from './regex.ts';
import { StepLimitError } from './regex-search.ts';

/** A place in a text, in UTF-16 code units, the end excluded. */
export interface Match {
  start: number;
  end: number;
}

/** Finds the places in a text that match, from left to right, none overlapping. */
export type Pattern = (text: string) => Iterable<Match>;

/**
 * The pattern of a Split or Replace: `{"String": …}` or `{"Regex": …}`.
 * @throws SesdError SESD_BAD_TOKENIZER when it is neither, or a regular expression that cannot be taken over; from the
 *   pattern when that takes too long on a text
 */
export function patternOf(part: Part): Pattern {
  const pattern = part.part('pattern');
  if (pattern.has('String')) return literal(pattern.string('String'));
  const source = pattern.string('Regex');
  const bad = (cause: unknown) =>
    pattern.bad(
      `the regular expression ${JSON.stringify(source)} is not supported: ${(cause as Error).message}`,
      cause,
    );
  let find: Pattern;
  try {
    find = compileRegex(source);
  } catch (cause) {
    throw bad(cause);
  }
  return function* (text) {
    try {
      yield* find(text);
    } catch (cause) {
      throw cause instanceof StepLimitError ? bad(cause) : cause;
    }
  };
}

function literal(wanted: string): Pattern {
  if (wanted === '') return compileRegex('');
  return function* (text) {
    for (let start = text.indexOf(wanted); start >= 0; ) {
      const end = start + wanted.length;
      yield { start, end };
      start = text.indexOf(wanted, end);
    }
  };
}

/** Where a regular expression with flag g of our own matches, one that takes no time to speak of. */
export function matchesOf(regex: RegExp): Pattern {
  return function* (text) {
    for (const match of text.matchAll(regex))
      yield { start: match.index, end: match.index + match[0].length };
  };
}
