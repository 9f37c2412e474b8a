import type { Part } from './part.ts';

/** Code units a text may grow to: a file's rules may double it again and again. Those of known tokenizers reach 18 times. */
export function mostGrown(text: string): number {
  return 2 ** 20 + 64 * text.length;
}

/** @throws SesdError SESD_BAD_TOKENIZER when what a part makes of a text is longer than `most` code units */
export function checkGrown(length: number, most: number, part: Part): void {
  if (length > most) throw part.bad(`it makes a text grow to more than ${most} characters`);
}
