import type { Part } from '../part.ts';
import type { Model } from './model.ts';
import { readVocabulary } from './vocabulary.ts';

/** WordPiece: the longest token that begins the word, then the longest that goes on, and so forth. */
export function wordPiece(part: Part): Model {
  const { ids, idLimit } = readVocabulary(part);
  const unknownToken = part.string('unk_token');
  const prefix = part.string('continuing_subword_prefix', '##');
  const longest = part.count('max_input_chars_per_word', 100);
  let longestToken = 0;
  for (const token of ids.keys()) longestToken = Math.max(longestToken, token.length);
  const unknown = (): number[] => {
    const id = ids.get(unknownToken);
    if (id === undefined) throw part.wrong('unk_token', 'a token of the vocabulary', unknownToken);
    return [id];
  };
  return {
    size: ids.size,
    idLimit,
    idOf: (token) => ids.get(token),
    encode(word) {
      if (word.length > longest && codePointsOf(word) > longest) return unknown();
      const found: number[] = [];
      for (let start = 0; start < word.length; ) {
        let end = Math.min(word.length, start + longestToken);
        let id: number | undefined;
        while (end > start) {
          const piece = word.slice(start, end);
          id = ids.get(start === 0 ? piece : prefix + piece);
          if (id !== undefined) break;
          end -= end - start > 1 && isTrail(word.charCodeAt(end - 1)) ? 2 : 1;
        }
        if (id === undefined) return unknown();
        found.push(id);
        start = end;
      }
      return found;
    },
  };
}

function codePointsOf(word: string): number {
  let count = 0;
  for (let at = 0; at < word.length; at++) if (!isTrail(word.charCodeAt(at))) count++;
  return count;
}

/** Whether a UTF-16 code unit is the second of two. */
function isTrail(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
