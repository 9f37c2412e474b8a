import type { Part } from '../part.ts';
import { Trie } from '../trie.ts';
import type { Model } from './model.ts';
import { readVocabulary } from './vocabulary.ts';

/** WordPiece: the longest token that begins the word, then the longest that goes on, and so forth. */
export function wordPiece(part: Part): Model {
  const { ids, idLimit } = readVocabulary(part);
  const unknownToken = part.string('unk_token');
  const prefix = part.string('continuing_subword_prefix', '##');
  const longest = part.count('max_input_chars_per_word', 100);
  const trie = new Trie();
  for (const [token, id] of ids) trie.set(token, id);
  const continued = trie.nodeOf(prefix);
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
      let end = 0;
      let id = -1;
      const longer = (at: number, value: number) => {
        if (at < word.length && isTrail(word.charCodeAt(at))) return;
        end = at;
        id = value;
      };
      for (let start = 0; start < word.length; start = end) {
        id = -1;
        if (start > 0 && continued === undefined) return unknown();
        trie.eachAt(word, start, longer, start === 0 ? trie.root : continued);
        if (id < 0) return unknown();
        found.push(id);
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
