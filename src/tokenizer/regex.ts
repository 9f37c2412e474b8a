import { classOf } from './code-point-class.ts';
import { unassigned } from './code-points.ts';
import type { Match, Pattern } from './pattern.ts';
import { compileProgram } from './regex-program.ts';
import { RegexSearch } from './regex-search.ts';
import { parseRegex } from './regex-syntax.ts';

const ascii = /^\p{ASCII}*$/u;
const unassignedPattern = new RegExp(`[${classOf(unassigned)}]`, 'gu');

/**
 * A regular expression of the Rust library's (Oniguruma, Ruby's syntax), matched from left to right as it does. It comes
 * from a file: a search of our own takes it, since what one of JavaScript's takes may double with each character.
 * @throws Error that says what of the expression is not taken over
 */
export function compileRegex(source: string): Pattern {
  const program = compileProgram(parseRegex(source));
  return function* (text): Generator<Match> {
    const search = new RegexSearch(program, hideUnassigned(text));
    let last = -1;
    let from = 0;
    for (let match = search.next(from); match; match = search.next(from)) {
      const { start, end } = match;
      if (end > start || start !== last) yield match; // no empty match right after a match
      last = end;
      from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
      if (from > text.length) return;
    }
  };
}

/**
 * JavaScript's Unicode properties may be of a newer version than the Rust libraries'. Code points that those do not
 * know yet are hidden behind noncharacters of the same length, which no property ever takes in. One letter is left:
 * U+0295, which is of Ll there and of Lo since Unicode 17; it matters to a pattern with \p{Ll} or \p{Lo} only.
 */
export function hideUnassigned(text: string): string {
  if (ascii.test(text)) return text;
  return text.replace(unassignedPattern, (char) => (char.length === 1 ? '\ufdd0' : '\u{1fffe}'));
}
