import { classOf } from '../code-point-class.ts';
import { extending } from '../code-points.ts';

const extend = `[${classOf(extending)}]`;
const prepend = '[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u0d4e]';
/** Format characters that begin no grapheme with others: all but the joiners and those of `prepend`. */
const control =
  '(?:(?![\\u200c\\u200d\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2])[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}])';
const leading = '[\\u1100-\\u115f\\ua960-\\ua97c]';
const vowel = '[\\u1160-\\u11a7\\ud7b0-\\ud7c6]';
const trailing = '[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]';
/** Hangul syllables without a final consonant: every 28th. */
const open = `[${Array.from({ length: 399 }, (_, index) => String.fromCharCode(0xac00 + 28 * index)).join('')}]`;
const hangul = `(?:${leading}*(?:(?:${open}|${vowel})${vowel}*|[가-힣])${trailing}*|${leading}+|${trailing}+)`;
const pictures = `\\p{Extended_Pictographic}(?:${extend}*\\u200d\\p{Extended_Pictographic})*`;

/**
 * Extended grapheme clusters (UAX #29), exact for those of up to five bytes of UTF-8, which are the ones that matter
 * in a charsmap: longer ones, as flags and the conjuncts of Indic scripts, may come in parts. Intl.Segmenter is of
 * the Unicode version of Node, and takes minutes for a text of a megabyte.
 */
export const grapheme = new RegExp(
  `\\r\\n|${control}|${prepend}*(?:${hangul}|${pictures}|(?!${control})[^])${extend}*|[^]`,
  'gu',
);
