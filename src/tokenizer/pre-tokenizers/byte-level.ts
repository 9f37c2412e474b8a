import { byteLevelText } from '../byte-level-text.ts';
import type { Part } from '../part.ts';
import type { Pattern } from '../pattern.ts';
import { hideUnassigned } from '../regex.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { splitText } from './split.ts';

/**
 * GPT-2's words: contractions, letters, numbers and other signs with a space before them, and white space. A pattern of
 * ours, which takes time linear in the text in JavaScript too, and a tenth of the search for those of files.
 */
const gpt2Words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const words: Pattern = function* (text) {
  for (const { index, 0: word } of hideUnassigned(text).matchAll(gpt2Words))
    yield { start: index, end: index + word.length };
};

/** The ByteLevel pre-tokenizer: words, their bytes each written as a character. */
export function byteLevel(part: Part): PreTokenizer {
  const addPrefixSpace = part.boolean('add_prefix_space');
  const useRegex = part.boolean('use_regex', true);
  return (text) => {
    const spaced = addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
    return (useRegex ? splitText(spaced, words, 'Isolated') : [spaced]).map(byteLevelText);
  };
}
