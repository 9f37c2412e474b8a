import { byteLevelText } from '../byte-level-text.ts';
import { anyOf } from '../code-point-class.ts';
import { combiningMarks } from '../code-points.ts';
import { checkGrown } from '../growth.ts';
import type { Part } from '../part.ts';
import { patternOf } from '../pattern.ts';
import { bertNormalizer } from './bert.ts';
import { lowercase } from './lowercase.ts';
import { nmt } from './nmt.ts';
import type { Normalizer } from './normalizer.ts';
import { precompiled } from './precompiled.ts';
import { strip } from './strip.ts';
import { unicodeForm } from './unicode-form.ts';

const combiningMark = anyOf(combiningMarks);

/** The normalizers of the Rust tokenizers library, by the type a tokenizer.json gives. */
const normalizers: Readonly<Record<string, (part: Part) => Normalizer>> = {
  Sequence: (part) => {
    const steps = part.parts('normalizers').map(createNormalizer);
    return (text, most) =>
      steps.reduce((result, step) => {
        const stepped = step(result, most);
        checkGrown(stepped.length, most, part);
        return stepped;
      }, text);
  },
  BertNormalizer: bertNormalizer,
  NFC: () => unicodeForm('NFC'),
  NFD: () => unicodeForm('NFD'),
  NFKC: () => unicodeForm('NFKC'),
  NFKD: () => unicodeForm('NFKD'),
  Lowercase: () => lowercase,
  Strip: strip,
  StripAccents: () => (text) => text.replace(combiningMark, ''),
  Nmt: () => nmt,
  Precompiled: precompiled,
  Replace: replace,
  Prepend: (part) => {
    const prefix = part.string('prepend');
    return (text) => (text === '' ? text : prefix + text);
  },
  ByteLevel: () => byteLevelText,
};

/** @throws SesdError SESD_BAD_TOKENIZER when the part is of an unknown type or lacks a setting */
export function createNormalizer(part: Part): Normalizer {
  const type = part.string('type');
  if (!Object.hasOwn(normalizers, type)) {
    throw part.bad(`normalizer "${type}" is not supported; known are ${Object.keys(normalizers).join(', ')}`);
  }
  return normalizers[type]!(part);
}

function replace(part: Part): Normalizer {
  const pattern = patternOf(part);
  const content = part.string('content');
  return (text, most) => {
    let result = '';
    let end = 0;
    for (const match of pattern(text)) {
      result += text.slice(end, match.start) + content;
      checkGrown(result.length, most, part);
      end = match.end;
    }
    return result + text.slice(end);
  };
}
