import type { Model } from './models/model.ts';
import { afterSpaces, beforeSpaces } from './normalizers/strip.ts';
import type { Part } from './part.ts';
import { hideUnassigned } from './regex.ts';
import { Trie } from './trie.ts';

/** A token that is looked for in the text itself, before the text is split into words. */
interface AddedToken {
  id: number;
  content: string;
  /** Found only where no word character is beside it. */
  singleWord: boolean;
  /** Takes in the white space before it, and after it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Looked for in the normalized text, its own text normalized too. */
  normalized: boolean;
}

/** A stretch of text, or an added token's id where one was found. */
export type Section = { text: string } | { id: number };

export interface AddedTokens {
  ids: ReadonlyMap<string, number>;
  /** Cuts a text at the tokens that are looked for before it is normalized. */
  splitRaw(text: string): Section[];
  /** Cuts a normalized text at the others. */
  splitNormalized(text: string): Section[];
}

const wordCharacter = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const wordBefore = new RegExp(`${wordCharacter}$`, 'u');
const wordAfter = new RegExp(`^${wordCharacter}`, 'u');

/**
 * The added_tokens of a tokenizer.json. A token of the model's vocabulary keeps its id there; the others get the
 * ids after it in the list's order, whatever ids the file gives, as in the Rust library.
 * @throws SesdError SESD_BAD_TOKENIZER when one is not as it must be, or two are the same in normalized text
 */
export function readAddedTokens(root: Part, model: Model, normalize: (text: string) => string): AddedTokens {
  const ids = new Map<string, number>();
  const byId = new Map<number, AddedToken>();
  let next = model.size;
  for (const part of root.parts('added_tokens')) {
    const content = part.string('content');
    part.count('id');
    if (content === '') continue;
    const id = ids.get(content) ?? model.idOf(content) ?? next++;
    ids.set(content, id);
    byId.set(id, {
      id,
      content,
      singleWord: part.boolean('single_word', false),
      lstrip: part.boolean('lstrip', false),
      rstrip: part.boolean('rstrip', false),
      normalized: part.boolean('normalized', !part.boolean('special', false)),
    });
  }
  const finder = (normalized: boolean) => {
    const tokens = new Map<string, AddedToken>();
    for (const token of byId.values()) {
      if (token.normalized !== normalized) continue;
      const text = normalized ? normalize(token.content) : token.content;
      const same = tokens.get(text);
      if (text === '' || same) {
        const what = same ? `the same as ${JSON.stringify(same.content)}` : 'empty';
        throw root.bad(`the added token ${JSON.stringify(token.content)} is ${what} when normalized`);
      }
      tokens.set(text, token);
    }
    return splitter(tokens);
  };
  return { ids, splitRaw: finder(false), splitNormalized: finder(true) };
}

/** @param tokens by the text they are found by */
function splitter(tokens: ReadonlyMap<string, AddedToken>): (text: string) => Section[] {
  if (tokens.size === 0) return (text) => [{ text }];
  const trie = new Trie();
  const list = [...tokens.values()];
  for (const [index, text] of [...tokens.keys()].entries()) trie.set(text, index);
  return (text) => {
    const sections: Section[] = [];
    let done = 0;
    let matchEnd = -1;
    let index = -1;
    const longer = (end: number, value: number) => {
      matchEnd = end;
      index = value;
    };
    for (let at = 0; at < text.length; at++) {
      matchEnd = -1;
      trie.eachAt(text, at, longer);
      if (matchEnd < 0) continue;
      let start = at;
      let end = matchEnd;
      at = matchEnd - 1; // the search goes on behind the match, also where it does not count
      const token = list[index]!;
      if (token.singleWord && insideWord(text, start, end)) continue;
      if (token.lstrip) start = Math.max(beforeSpaces(text, start, 0), done);
      if (token.rstrip) end = afterSpaces(text, end);
      if (start > done) sections.push({ text: text.slice(done, start) });
      sections.push({ id: token.id });
      done = end;
    }
    if (done !== text.length) sections.push({ text: text.slice(done) });
    return sections;
  };
}

/** Whether a word character is beside a stretch of text. */
function insideWord(text: string, start: number, end: number): boolean {
  const before = hideUnassigned(text.slice(Math.max(0, start - 2), start));
  return wordBefore.test(before) || wordAfter.test(hideUnassigned(text.slice(end, end + 2)));
}
