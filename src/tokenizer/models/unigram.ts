import type { Part } from '../part.ts';
import { Trie } from '../trie.ts';
import { byteTokens } from './byte-fallback.ts';
import type { Model } from './model.ts';

/** How much worse than the worst token an unknown character is. */
const unknownPenalty = 10;

/**
 * Unigram: of all ways to put the word together from tokens the one with the largest sum of scores (log
 * probabilities), found by the Viterbi algorithm; of equal ones the one whose last token is longest.
 */
export function unigram(part: Part): Model {
  const tokens = readTokens(part);
  const scores = Float64Array.from(tokens, ([, score]) => score);
  const ids = new Map(tokens.map(([token], id) => [token, id]));
  const trie = new Trie();
  for (const [token, id] of ids) trie.set(token, id);
  const unknown = part.has('unk_id') ? part.count('unk_id') : undefined;
  if (unknown !== undefined && unknown >= tokens.length) {
    throw part.wrong('unk_id', `an id below ${tokens.length}`, unknown);
  }
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty;
  const bytesOf = part.boolean('byte_fallback', false) ? byteTokens((token) => ids.get(token)) : undefined;

  /** The ids of a piece of the best path. */
  const emit = (piece: string, found: number[]) => {
    const id = ids.get(piece);
    const bytes = id === undefined ? bytesOf?.(piece) : undefined;
    if (bytes) for (const byte of bytes) found.push(byte);
    else found.push((id ?? unknown)!);
  };

  return {
    size: tokens.length,
    idLimit: tokens.length,
    idOf: (token) => ids.get(token),
    encode(word) {
      // The best path to each place: its score, and the last token's start (-1: no path yet) and id.
      const best = new Float64Array(word.length + 1);
      const starts = new Int32Array(word.length + 1).fill(-1);
      const last = new Int32Array(word.length + 1);
      let start = 0;
      let single = false;
      let next = 0;
      const offer = (end: number, id: number, score: number) => {
        const total = score + best[start]!;
        if (starts[end] !== -1 && total <= best[end]!) return;
        best[end] = total;
        starts[end] = start;
        last[end] = id;
      };
      const found = (end: number, id: number) => {
        offer(end, id, scores[id]!);
        if (end === next) single = true;
      };
      for (; start < word.length; start = next) {
        next = start + (word.codePointAt(start)! > 0xffff ? 2 : 1);
        single = false;
        trie.eachAt(word, start, found);
        if (single) continue;
        if (unknown === undefined) {
          throw part.bad(
            `no token and no unk_id for the character ${JSON.stringify(word.slice(start, next))}`,
          );
        }
        offer(next, unknown, unknownScore);
      }

      const path: number[] = []; // its places, from the end
      for (let end = word.length; end > 0; end = starts[end]!) path.push(end);
      const result: number[] = [];
      let from = 0;
      let unknownFrom = -1; // neighbouring unknown tokens are one
      for (const end of path.reverse()) {
        if (last[end] === unknown) {
          if (unknownFrom < 0) unknownFrom = from;
        } else {
          if (unknownFrom >= 0) emit(word.slice(unknownFrom, from), result);
          unknownFrom = -1;
          emit(word.slice(from, end), result);
        }
        from = end;
      }
      if (unknownFrom >= 0) emit(word.slice(unknownFrom), result);
      return result;
    },
  };
}

function readTokens(part: Part): [string, number][] {
  const vocab = part.get('vocab');
  if (!Array.isArray(vocab)) throw part.wrong('vocab', 'a list of tokens with their scores', vocab);
  for (const [id, entry] of vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? entry : [];
    if (typeof token !== 'string' || typeof score !== 'number' || entry.length !== 2) {
      throw part.wrong(`vocab[${id}]`, 'a token and its score', entry);
    }
  }
  if (vocab.length === 0) throw part.wrong('vocab', 'a token at least', vocab);
  return vocab as [string, number][];
}
