/**
 * Learns a WordPiece vocabulary by merging the most frequent pair of adjacent pieces again and again (the byte-pair
 * procedure, which is also what Hugging Face's WordPieceTrainer does), over words as BertPreTokenizer cuts them.
 * Ties go to the pair that is smaller in code unit order, so the same text gives the same vocabulary everywhere.
 */

export const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;

export interface WordPieceOptions {
  /** Pieces in the vocabulary, special tokens included. */
  size: number;
  /** Characters that are in the vocabulary even where the text lacks them. */
  alphabet: Iterable<string>;
  /** A pair seen less often is not merged, and a character seen less often is left out. */
  minFrequency: number;
}

/** Lowercased words and punctuation marks of a text, as BertNormalizer and BertPreTokenizer cut plain Latin text. */
export function words(text: string): string[] {
  const plain = text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
  return plain.match(/[^\s\p{P}$+<=>^`|~]+|[\p{P}$+<=>^`|~]/gu) ?? [];
}

/** The vocabulary in order of id: special tokens, characters, continuations of characters, merged pieces. */
export function trainWordPiece(texts: Iterable<string>, options: WordPieceOptions): string[] {
  const frequency = new Map<string, number>();
  for (const text of texts) {
    for (const word of words(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const characters = alphabetOf(frequency, options);
  const kept = new Set(characters);
  const corpus = [...frequency]
    .filter(([word]) => [...word].every((character) => kept.has(character)))
    .map(([word, count]) => ({ count, pieces: [...word].map((c, i) => (i === 0 ? c : `##${c}`)) }));

  const vocabulary = new Set<string>([
    ...specialTokens,
    ...characters,
    ...characters.filter((c) => /[\p{L}\p{N}]/u.test(c)).map((c) => `##${c}`),
  ]);
  const pairs = new PairCounts(corpus);
  while (vocabulary.size < options.size) {
    const best = pairs.mostFrequent(options.minFrequency);
    if (best === undefined) break;
    vocabulary.add(pairs.merge(best));
  }
  return [...vocabulary].slice(0, options.size);
}

function alphabetOf(frequency: ReadonlyMap<string, number>, options: WordPieceOptions): string[] {
  const seen = new Map<string, number>();
  for (const [word, count] of frequency) {
    for (const character of word) seen.set(character, (seen.get(character) ?? 0) + count);
  }
  const alphabet = new Set(options.alphabet);
  for (const [character, count] of seen) if (count >= options.minFrequency) alphabet.add(character);
  return [...alphabet].sort(byCodeUnits);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Word {
  count: number;
  pieces: string[];
}

/** How often each pair of adjacent pieces occurs, kept up to date while pairs are merged. */
class PairCounts {
  readonly #words: Word[];
  readonly #counts = new Map<string, number>();
  /** Words in which a pair occurs, or did. */
  readonly #places = new Map<string, Set<Word>>();
  /** Pairs at least this frequent are candidates: a merge then looks at few pairs, not at all of them. */
  #threshold = Number.POSITIVE_INFINITY;
  readonly #candidates = new Set<string>();

  constructor(corpus: Word[]) {
    this.#words = corpus;
    for (const word of this.#words) this.#add(word, +1);
  }

  /** The pair as its two pieces with a space between them; undefined when none is frequent enough. */
  mostFrequent(minFrequency: number): string | undefined {
    for (;;) {
      let best: string | undefined;
      let highest = 0;
      for (const pair of this.#candidates) {
        const count = this.#counts.get(pair) ?? 0;
        if (count < this.#threshold) this.#candidates.delete(pair);
        else if (best === undefined || count > highest || (count === highest && pair < best)) {
          best = pair;
          highest = count;
        }
      }
      if (best !== undefined) return best;
      if (this.#threshold <= minFrequency) return undefined;
      this.#threshold = Math.max(minFrequency, Math.floor(Math.min(this.#threshold, this.#highest()) / 2));
      for (const [pair, count] of this.#counts) if (count >= this.#threshold) this.#candidates.add(pair);
    }
  }

  /** Replaces the pair by one piece wherever it occurs. @returns the piece */
  merge(pair: string): string {
    const [left, right] = pair.split(' ') as [string, string];
    const merged = left + right.replace(/^##/, '');
    for (const word of this.#places.get(pair)!) {
      this.#add(word, -1);
      for (let i = 0; i + 1 < word.pieces.length; i++) {
        if (word.pieces[i] === left && word.pieces[i + 1] === right) word.pieces.splice(i, 2, merged);
      }
      this.#add(word, +1);
    }
    this.#places.delete(pair);
    this.#counts.delete(pair);
    return merged;
  }

  #add(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.pieces.length; i++) {
      const pair = `${word.pieces[i]} ${word.pieces[i + 1]}`;
      const count = (this.#counts.get(pair) ?? 0) + sign * word.count;
      if (count === 0) this.#counts.delete(pair);
      else this.#counts.set(pair, count);
      if (count >= this.#threshold) this.#candidates.add(pair);
      if (sign > 0) {
        const places = this.#places.get(pair);
        if (places === undefined) this.#places.set(pair, new Set([word]));
        else places.add(word);
      }
    }
  }

  #highest(): number {
    let highest = 0;
    for (const count of this.#counts.values()) if (count > highest) highest = count;
    return highest;
  }
}
