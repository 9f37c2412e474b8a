/** Capitals that Unicode 17 added, after that of the oldest Node, with how far behind them their small letters are. */
const newCapitals: [capitals: RegExp, distance: number][] = [
  [/[\ua7ce\ua7d2\ua7d4]/g, 1],
  [/[\u{16ea0}-\u{16eb8}]/gu, 0x1b],
];
const ascii = /^\p{ASCII}*$/u;

/**
 * Lower case letter by letter as in Rust, of Unicode 17: Σ is always σ, where JavaScript writes ς at the end of a
 * word.
 */
export function lowercase(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  let result = text.replaceAll('Σ', 'σ');
  for (const [capitals, distance] of newCapitals) {
    result = result.replace(capitals, (capital) => String.fromCodePoint(capital.codePointAt(0)! + distance));
  }
  return result.toLowerCase();
}
