import { anyOf } from '../code-point-class.ts';
import { ideographs, marks, removed } from '../code-points.ts';
import type { Part } from '../part.ts';
import { lowercase } from './lowercase.ts';
import type { Normalizer } from './normalizer.ts';
import { unicodeForm } from './unicode-form.ts';

const removedPattern = anyOf(removed);
const ideographPattern = anyOf(ideographs);
const markPattern = anyOf(marks);
const whiteSpacePattern = /\p{White_Space}/gu;
const printableAscii = /^[ -~]*$/;
const decompose = unicodeForm('NFD');

/** BertNormalizer, in its order of steps. strip_accents null: as lowercase. */
export function bertNormalizer(part: Part): Normalizer {
  const cleanText = part.boolean('clean_text', true);
  const handleChineseChars = part.boolean('handle_chinese_chars', true);
  const lower = part.boolean('lowercase', true);
  const stripAccents = part.boolean('strip_accents', lower);
  return (text, most) => {
    if (printableAscii.test(text)) return lower ? text.toLowerCase() : text;
    let result = text;
    if (cleanText) result = result.replace(removedPattern, '').replace(whiteSpacePattern, ' ');
    if (handleChineseChars) result = result.replace(ideographPattern, ' $& ');
    if (stripAccents) result = decompose(result, most).replace(markPattern, '');
    return lower ? lowercase(result) : result;
  };
}
