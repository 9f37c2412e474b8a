import type { Part } from '../part.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';

const schemes = ['always', 'first', 'never'];

/**
 * Metaspace, SentencePiece's way with spaces: each is written as ▁, a word begins at each, and one is put before
 * the text (`always`), before the start of the whole text only (`first`) or not (`never`). Older files say
 * add_prefix_space for always, and str_rep for what replacement says.
 */
export function metaspace(part: Part): PreTokenizer {
  const replacement = part.string('replacement');
  if ([...replacement].length !== 1) throw part.wrong('replacement', 'one character', replacement);
  const scheme = part.string('prepend_scheme', part.boolean('add_prefix_space', true) ? 'always' : 'never');
  if (!schemes.includes(scheme)) throw part.wrong('prepend_scheme', `one of ${schemes.join(', ')}`, scheme);
  if (part.has('prepend_scheme') && scheme !== 'never' && !part.boolean('add_prefix_space', true)) {
    throw part.bad(`prepend_scheme "${scheme}" and add_prefix_space false`);
  }
  const splits = part.boolean('split', true);
  return (text, atStart) => {
    let result = text.replaceAll(' ', () => replacement);
    const wanted = scheme === 'always' || (scheme === 'first' && atStart);
    if (wanted && !result.startsWith(replacement)) result = replacement + result;
    if (!splits) return [result];
    const [first = '', ...others] = result.split(replacement);
    return [...(first === '' ? [] : [first]), ...others.map((word) => replacement + word)];
  };
}
