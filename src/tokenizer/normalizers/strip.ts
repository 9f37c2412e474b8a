import type { Part } from '../part.ts';
import type { Normalizer } from './normalizer.ts';

const whiteSpace = /^\p{White_Space}$/u;

/** Cuts white space from the ends; JavaScript's trim takes U+FEFF for white space and leaves U+0085. */
export function strip(part: Part): Normalizer {
  const left = part.boolean('strip_left');
  const right = part.boolean('strip_right');
  return (text) => {
    const start = left ? afterSpaces(text, 0) : 0;
    return text.slice(start, right ? beforeSpaces(text, text.length, start) : text.length);
  };
}

/** The end of the white space that begins at an offset. */
export function afterSpaces(text: string, offset: number): number {
  let end = offset;
  while (end < text.length && whiteSpace.test(text[end]!)) end++;
  return end;
}

/** The start of the white space that ends at an offset, not before `least`. */
export function beforeSpaces(text: string, offset: number, least: number): number {
  let start = offset;
  while (start > least && whiteSpace.test(text[start - 1]!)) start--;
  return start;
}
