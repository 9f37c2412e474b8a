import { ideographs, marks, punctuation, removed } from './code-points.ts';

/** BertNormalizer's settings in a tokenizer.json. */
export interface BertNormalizerConfig {
  type: 'BertNormalizer';
  clean_text: boolean;
  handle_chinese_chars: boolean;
  /** null: as lowercase. */
  strip_accents: boolean | null;
  lowercase: boolean;
}

const removedPattern = anyOf(`${removed} d800-dfff`); // lone surrogates cannot reach the Rust library
const ideographPattern = anyOf(ideographs);
const markPattern = anyOf(marks);
const whiteSpacePattern = /\p{White_Space}/gu;
const wordPattern = new RegExp(`[${classOf(punctuation)}]|[^\\p{White_Space}${classOf(punctuation)}]+`, 'gu');
const printableAscii = /^[ -~]*$/;

/**
 * BertNormalizer as the Rust tokenizers library has it, in its order of steps. It differs from the JavaScript
 * library in ideographs beyond U+FFFF, in a final capital sigma (lower-cased letter by letter, Σ is always σ), and
 * in marks of newer Unicode versions (see code-points.ts). Over all code points the two then differ only in about
 * twenty letters of scripts added to Unicode since 2020, which JavaScript lower-cases or decomposes and Rust does not.
 */
export function bertNormalizer(config: BertNormalizerConfig): (text: string) => string {
  const { clean_text, handle_chinese_chars, lowercase } = config;
  const stripAccents = config.strip_accents ?? lowercase;
  return (text) => {
    if (printableAscii.test(text)) return lowercase ? text.toLowerCase() : text;
    let result = text;
    if (clean_text) result = result.replace(removedPattern, '').replace(whiteSpacePattern, ' ');
    if (handle_chinese_chars) result = result.replace(ideographPattern, ' $& ');
    if (stripAccents) result = result.normalize('NFD').replace(markPattern, '');
    if (lowercase) result = result.replaceAll('Σ', 'σ').toLowerCase();
    return result;
  };
}

/** BertPreTokenizer as the Rust tokenizers library has it: words, and each punctuation sign by itself. */
export function bertWords(text: string): string[] {
  return text.match(wordPattern) ?? [];
}

/** Ranges as in code-points.ts, as the inside of a character class. */
function classOf(ranges: string): string {
  return ranges
    .trim()
    .split(/\s+/)
    .map((range) => range.replaceAll(/[0-9a-f]+/g, '\\u{$&}'))
    .join('');
}

function anyOf(ranges: string): RegExp {
  return new RegExp(`[${classOf(ranges)}]`, 'gu');
}
