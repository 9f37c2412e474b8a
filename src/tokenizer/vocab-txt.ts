import { SesdError } from '../errors.ts';
import type { Part } from './part.ts';

const specialNames = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/**
 * The tokenizer.json of a BERT that has only a vocab.txt: WordPiece, with BERT's text cleaning and template.
 * @param text of vocab.txt: a token a line, its id the line's number from 0
 * @param config of tokenizer_config.json. Without do_lower_case, text is lower-cased unless the vocabulary has
 *   words with capitals; the other settings default to BERT's.
 * @throws SesdError SESD_BAD_TOKENIZER when a special token is missing
 */
export function wordPieceJson(text: string, config: Part, file: string): object {
  const lines = text.replace(/\r?\n$/, '').split('\n');
  const tokens = lines.map((line) => line.trimEnd());
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const missing = ['[UNK]', '[CLS]', '[SEP]'].filter((name) => !ids.has(name));
  if (missing.length > 0) {
    throw new SesdError('SESD_BAD_TOKENIZER', `${file}: no token ${missing.join(', ')}`, {
      hint: 'A BERT vocab.txt has one token a line, [UNK], [CLS] and [SEP] among them; give one, or a tokenizer.json, with --tokenizer.',
    });
  }
  const special = (name: string) => ({ id: name, ids: [ids.get(name)], tokens: [name] });
  const piece = (name: string, type_id: number) => ({ SpecialToken: { id: name, type_id } });
  const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } });
  const single = [piece('[CLS]', 0), sequence('A', 0), piece('[SEP]', 0)];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialNames
      .filter((name) => ids.has(name))
      .map((content) => ({
        id: ids.get(content)!,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      }))
      .sort((a, b) => a.id - b.id),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: config.boolean('tokenize_chinese_chars', true),
      strip_accents: config.has('strip_accents') ? config.boolean('strip_accents') : null,
      lowercase: config.boolean('do_lower_case', !hasCapitals(tokens)),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), piece('[SEP]', 1)],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(ids),
    },
  };
}

function hasCapitals(tokens: readonly string[]): boolean {
  return tokens.some((token) => token !== token.toLowerCase() && !/^\[.*\]$/.test(token));
}
