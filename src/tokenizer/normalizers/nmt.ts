import type { Normalizer } from './normalizer.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const removed = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g;
const spaces = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

/** SentencePiece's rules for control characters and spaces. */
export const nmt: Normalizer = (text) => text.replace(removed, '').replace(spaces, ' ');
