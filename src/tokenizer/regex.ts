import { classOf } from './code-point-class.ts';
import { unassigned } from './code-points.ts';
import type { Match, Pattern } from './pattern.ts';
import { translateRegex } from './regex-syntax.ts';

const ascii = /^\p{ASCII}*$/u;
const unassignedPattern = new RegExp(`[${classOf(unassigned)}]`, 'gu');

/**
 * A regular expression of the Rust library's (Oniguruma, Ruby's syntax), matched from left to right as it does.
 * @throws Error that says what of the expression JavaScript cannot do
 */
export function compileRegex(source: string): Pattern {
  return matcher(new RegExp(translateRegex(source), 'gu'));
}

/** The matches of a JavaScript regular expression with flags g and u, with the Rust libraries' Unicode version. */
export function matcher(regex: RegExp): Pattern {
  return function* (text): Generator<Match> {
    const seen = hideUnassigned(text);
    let last = -1;
    regex.lastIndex = 0;
    for (let match = regex.exec(seen); match; match = regex.exec(seen)) {
      const start = match.index;
      if (insidePair(seen, start)) {
        regex.lastIndex = start + 1; // V8 lets what has no length match there
        continue;
      }
      const end = start + match[0].length;
      const resume = end > start ? end : end + ((seen.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
      if (end > start || start !== last) yield { start, end }; // no empty match right after a match
      last = end;
      regex.lastIndex = resume;
    }
  };
}

/** Whether an offset is between the two code units of one code point. */
function insidePair(text: string, offset: number): boolean {
  return offset > 0 && (text.codePointAt(offset - 1) ?? 0) > 0xffff;
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
