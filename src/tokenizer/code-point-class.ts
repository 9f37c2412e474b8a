/** Ranges as in code-points.ts, as the inside of a character class of a regular expression with flag u. */
export function classOf(ranges: string): string {
  return ranges
    .trim()
    .split(/\s+/)
    .map((range) => range.replaceAll(/[0-9a-f]+/g, '\\u{$&}'))
    .join('');
}

/** Any code point of the ranges. */
export function anyOf(ranges: string): RegExp {
  return new RegExp(`[${classOf(ranges)}]`, 'gu');
}
