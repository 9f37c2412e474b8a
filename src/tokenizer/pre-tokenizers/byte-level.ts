import { byteLevelText } from '../byte-level-text.ts';
import type { Part } from '../part.ts';
import { compileRegex } from '../regex.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { splitText } from './split.ts';

/** GPT-2's words: contractions, letters, numbers and other signs with a space before them, and white space. */
const words = compileRegex(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
);

/** The ByteLevel pre-tokenizer: words, their bytes each written as a character. */
export function byteLevel(part: Part): PreTokenizer {
  const addPrefixSpace = part.boolean('add_prefix_space');
  const useRegex = part.boolean('use_regex', true);
  return (text) => {
    const spaced = addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
    return (useRegex ? splitText(spaced, words, 'Isolated') : [spaced]).map(byteLevelText);
  };
}
