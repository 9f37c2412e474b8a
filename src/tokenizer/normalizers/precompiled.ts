import { checkGrown } from '../growth.ts';
import type { Part } from '../part.ts';
import { grapheme } from './graphemes.ts';
import type { Normalizer } from './normalizer.ts';

/** UTF-8 length up to which a grapheme is looked up whole. */
const longestGrapheme = 5;
/** Distinct graphemes that are remembered; texts rarely have more. */
const remembered = 20_000;

/**
 * SentencePiece's normalization rules, compiled: a trie over UTF-8 whose values are offsets of replacements (a
 * darts-clone double array; https://github.com/google/sentencepiece, src/normalizer.cc). As in the Rust library, the
 * shortest rule that begins a short grapheme replaces the whole of it.
 */
export function precompiled(part: Part): Normalizer {
  const replacementOf = readCharsmap(part);
  const replacements = new Map<string, string>();
  const replace = (found: string, most: number): string => {
    const bytes = Buffer.from(found);
    const whole = bytes.length <= longestGrapheme ? replacementOf(bytes) : undefined;
    if (whole !== undefined) return whole;
    let result = '';
    for (const char of found) {
      result += replacementOf(Buffer.from(char)) ?? char;
      checkGrown(result.length, most, part);
    }
    return result;
  };
  return (text, most) => {
    let length = 0;
    return text.replace(grapheme, (found) => {
      let replacement = replacements.get(found);
      if (replacement === undefined) {
        replacement = replace(found, most);
        if (found.length <= longestGrapheme && replacements.size < remembered)
          replacements.set(found, replacement);
      }
      length += replacement.length;
      checkGrown(length, most, part);
      return replacement;
    });
  };
}

/** A function that finds the replacement of the shortest rule that begins the bytes. */
function readCharsmap(part: Part): (bytes: Uint8Array) => string | undefined {
  const charsmap = Buffer.from(part.string('precompiled_charsmap'), 'base64');
  const trieSize = charsmap.length < 4 ? 0 : charsmap.readUInt32LE(0);
  if (trieSize < 4 || trieSize % 4 !== 0 || 4 + trieSize > charsmap.length) {
    throw part.bad(`precompiled_charsmap of ${charsmap.length} bytes does not hold the trie it announces`);
  }
  const units = Uint32Array.from({ length: trieSize / 4 }, (_, index) =>
    charsmap.readUInt32LE(4 + 4 * index),
  );
  const replacements = charsmap.subarray(4 + trieSize);
  return (bytes) => {
    let node = childrenOf(units[0]!);
    for (const byte of bytes) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      node ^= childrenOf(unit);
      if ((unit & 0x100) === 0) continue;
      const start = (units[node] ?? 0) & 0x7fffffff;
      const end = replacements.indexOf(0, start);
      return replacements.toString('utf8', start, end < 0 ? replacements.length : end);
    }
    return undefined;
  };
}

/** Where a double-array unit's children begin, to be XORed to its position. */
function childrenOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
