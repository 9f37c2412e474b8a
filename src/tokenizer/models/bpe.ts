import { describe, type Part } from '../part.ts';
import { byteTokens } from './byte-fallback.ts';
import { MergeQueue } from './merge-queue.ts';
import type { Model } from './model.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';

/** Which neighbours become one token: in which order, and what they become. */
interface Merges {
  /** By left id × the vocabulary's limit + right id. */
  ranks: ReadonlyMap<number, number>;
  /** By rank. */
  results: readonly number[];
}

/** Byte-pair encoding: neighbouring tokens of a word are merged, the pair learnt first first. */
export function bpe(part: Part): Model {
  const vocabulary = readVocabulary(part);
  const { ids, idLimit } = vocabulary;
  const prefix = part.string('continuing_subword_prefix', '');
  const suffix = part.string('end_of_word_suffix', '');
  const merges = readMerges(part, vocabulary, Buffer.byteLength(prefix));
  const unknownToken = part.has('unk_token') ? part.string('unk_token') : undefined;
  const fuseUnknown = part.boolean('fuse_unk', false);
  const ignoreMerges = part.boolean('ignore_merges', false);
  const bytesOf = part.boolean('byte_fallback', false) ? byteTokens((token) => ids.get(token)) : undefined;
  if (part.has('dropout') && part.get('dropout') !== 0) {
    throw part.wrong('dropout', 'null: with dropout a text has no fixed tokens', part.get('dropout'));
  }

  /** One token a character, where there is one. */
  const characters = (word: string): number[] => {
    const found: number[] = [];
    let unknown: number | undefined;
    const flush = () => {
      if (unknown !== undefined) found.push(unknown);
      unknown = undefined;
    };
    let at = 0;
    for (const char of word) {
      const first = at === 0;
      at += char.length;
      const token = (first ? char : prefix + char) + (at === word.length ? suffix : '');
      const id = ids.get(token);
      if (id !== undefined) {
        flush();
        found.push(id);
        continue;
      }
      const bytes = bytesOf?.(token);
      if (bytes) {
        found.push(...bytes); // before an unknown token that waits, as in the Rust library
      } else if (unknownToken !== undefined) {
        if (!fuseUnknown) flush();
        unknown = ids.get(unknownToken);
        if (unknown === undefined) throw part.wrong('unk_token', 'a token of the vocabulary', unknownToken);
      }
    }
    flush();
    return found;
  };

  return {
    size: ids.size,
    idLimit,
    idOf: (token) => ids.get(token),
    encode(word) {
      const whole = ignoreMerges ? ids.get(word) : undefined;
      return whole === undefined ? merge(characters(word), merges, idLimit) : [whole];
    },
  };
}

function merge(tokens: number[], { ranks, results }: Merges, idLimit: number): number[] {
  if (tokens.length < 2) return tokens;
  const queue = new MergeQueue();
  /** Of the next token that is left, and of the one before. */
  const next = new Int32Array(tokens.length).map((_, at) => at + 1);
  const previous = new Int32Array(tokens.length).map((_, at) => at - 1);
  const rankAt = (at: number): number | undefined =>
    ranks.get(tokens[at]! * idLimit + (tokens[next[at]!] ?? Number.NaN));
  const enqueue = (at: number) => {
    const rank = rankAt(at);
    if (rank !== undefined) queue.push(rank, at);
  };
  for (let at = 0; at + 1 < tokens.length; at++) enqueue(at);

  const gone = -1;
  for (let top = queue.pop(); top; top = queue.pop()) {
    const { rank, at } = top;
    if (tokens[at] === gone) continue;
    const now = rankAt(at);
    if (now === undefined || results[now] !== results[rank]) continue; // another merge was here first
    const right = next[at]!;
    tokens[at] = results[rank]!;
    tokens[right] = gone;
    next[at] = next[right]!;
    if (next[at]! < tokens.length) previous[next[at]!] = at;
    if (previous[at]! >= 0) enqueue(previous[at]!);
    enqueue(at);
  }
  return tokens.filter((token) => token !== gone);
}

/** @param prefixLength bytes that the right token loses when it is merged */
function readMerges(part: Part, { ids, idLimit }: Vocabulary, prefixLength: number): Merges {
  const ranks = new Map<number, number>();
  const results: number[] = [];
  for (const [rank, merge] of part.list('merges').entries()) {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    const wrong = (expected: string) =>
      part.wrong(`merges[${rank}]`, expected, Array.isArray(merge) ? merge.map(describe).join(' ') : merge);
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((token) => typeof token === 'string')) {
      throw wrong('two tokens');
    }
    const [left, right] = pair as [string, string];
    const merged = left + (prefixLength === 0 ? right : Buffer.from(right).toString('utf8', prefixLength));
    const [leftId, rightId, mergedId] = [left, right, merged].map((token) => ids.get(token));
    if (leftId === undefined || rightId === undefined || mergedId === undefined) {
      throw wrong(`tokens of the vocabulary that make one, ${JSON.stringify(merged)}, of it`);
    }
    ranks.set(leftId * idLimit + rightId, rank);
    results.push(mergedId);
  }
  return { ranks, results };
}
