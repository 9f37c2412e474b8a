import { anyOf, classOf } from '../code-point-class.ts';
import { numbers, punctuation } from '../code-points.ts';
import { checkGrown } from '../growth.ts';
import type { Part } from '../part.ts';
import { matchesOf } from '../pattern.ts';
import { hideUnassigned } from '../regex.ts';
import { byteLevel } from './byte-level.ts';
import { metaspace } from './metaspace.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';
import { behaviorOf, split, splitText } from './split.ts';

const whiteSpace = matchesOf(/\p{White_Space}/gu);
const number = matchesOf(anyOf(numbers));
const punctuationSign = matchesOf(anyOf(punctuation));
const bertWord = new RegExp(`[${classOf(punctuation)}]|[^\\p{White_Space}${classOf(punctuation)}]+`, 'gu');
/** \w+|[^\w\s]+ of Rust's own regular expressions, whose words take in the joiners. */
const wordCharacter = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const wordOrSigns = matchesOf(new RegExp(`[${wordCharacter}]+|[^${wordCharacter}\\p{White_Space}]+`, 'gu'));

/** The pre-tokenizers of the Rust tokenizers library, by the type a tokenizer.json gives. */
const preTokenizers: Readonly<Record<string, (part: Part) => PreTokenizer>> = {
  Sequence: (part) => {
    const steps = part.parts('pretokenizers').map(createPreTokenizer);
    return (text, atStart, most) =>
      steps.reduce(
        (words, step) => {
          let length = 0;
          return words.flatMap((word, index) => {
            const found = word === '' ? [word] : step(word, atStart && index === 0, most);
            for (const each of found) length += each.length;
            checkGrown(length, most, part);
            return found;
          });
        },
        [text],
      );
  },
  BertPreTokenizer: () => (text) => text.match(bertWord) ?? [],
  Whitespace: () => (text) => splitText(text, (whole) => wordOrSigns(hideUnassigned(whole)), 'Removed', true),
  WhitespaceSplit: () => (text) => splitText(text, whiteSpace, 'Removed'),
  CharDelimiterSplit: (part) => {
    const delimiter = part.string('delimiter');
    if ([...delimiter].length !== 1) throw part.wrong('delimiter', 'one character', delimiter);
    return (text) => text.split(delimiter);
  },
  Punctuation: (part) => {
    const behavior = behaviorOf(part, 'Isolated');
    return (text) => splitText(text, punctuationSign, behavior);
  },
  Digits: (part) => {
    const behavior = part.boolean('individual_digits') ? 'Isolated' : 'Contiguous';
    return (text) => splitText(text, number, behavior);
  },
  Split: split,
  Metaspace: metaspace,
  ByteLevel: byteLevel,
};

/** @throws SesdError SESD_BAD_TOKENIZER when the part is of an unknown type or lacks a setting */
export function createPreTokenizer(part: Part): PreTokenizer {
  const type = part.string('type');
  if (!Object.hasOwn(preTokenizers, type)) {
    throw part.bad(
      `pre-tokenizer "${type}" is not supported; known are ${Object.keys(preTokenizers).join(', ')}`,
    );
  }
  return preTokenizers[type]!(part);
}
