import type { Random } from '../random.ts';

/** Small tokenizers of the kinds beside WordPiece. */

const letters = [...'abcdefghijklmnopqrstuvwxyzĠ'];
const special = (id: number, content: string) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
});

export const bpe = {
  version: '1.0',
  truncation: null,
  padding: { strategy: 'BatchLongest', direction: 'Right', pad_id: 1, pad_type_id: 0, pad_token: '<pad>' },
  added_tokens: [special(0, '<s>'), special(1, '<pad>'), special(2, '</s>'), special(3, '<unk>')],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: '<unk>',
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    fuse_unk: false,
    vocab: Object.fromEntries(
      ['<s>', '<pad>', '</s>', '<unk>', ...letters, 'th', 'the', 'Ġq'].map((token, id) => [token, id]),
    ),
    merges: [
      ['t', 'h'],
      ['th', 'e'],
      ['Ġ', 'q'],
    ],
  },
};

export const unigram = {
  version: '1.0',
  added_tokens: [special(0, '<s>'), special(1, '<pad>'), special(2, '</s>'), special(3, '<unk>')],
  normalizer: {
    type: 'Sequence',
    normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'WhitespaceSplit' },
      { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '</s>', type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '</s>', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: {
      '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
    },
  },
  model: {
    type: 'Unigram',
    unk_id: 3,
    byte_fallback: false,
    vocab: ['<s>', '<pad>', '</s>', '<unk>', '▁', '▁the', ...letters].map((token, i) => [token, -i / 3]),
  },
};

export const vocabulary = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'the',
  'quick',
  '##s',
  ...letters,
].join('\n');

/** One whose rules may double a text, and whose regular expressions a matcher may try in a thousand ways. */
export function withHostileRules(random: Random): unknown {
  const pattern = () => ({ Regex: hostileRegex(random, 4) });
  const replace = () => ({ type: 'Replace', pattern: pattern(), content: 'ab'.repeat(random.few(8)) });
  const normalizers = Array.from({ length: 1 + random.below(30) }, replace);
  const pre_tokenizer = { type: 'Split', pattern: pattern(), behavior: 'Isolated', invert: false };
  return { ...bpe, normalizer: { type: 'Sequence', normalizers }, pre_tokenizer };
}

const atoms = ['a', 'b', '.', '\\w', '\\s', '[^b]', '\\p{L}', 'ab', '!', '\\d', '$', '\\b', ''];
const quantifiers = ['*', '+', '?', '+?', '*+', '{2,}', '{0,9}', '{30}', ''];
const groups = ['(', '(?:', '(?=', '(?!', '(?>', '(?<=', '(?<!'];

function hostileRegex(random: Random, depth: number): string {
  // a repetition of repetitions, and what then does not match
  if (random.once(3)) {
    const [inner, outer] = [random.pick(['+', '*', '{1,}']), random.pick(['+', '*', '{2,}'])];
    return `(${random.pick(['a', '\\w', '[^b]', 'a|a'])}${inner})${outer}${random.pick(['$', 'b', '\\d'])}`;
  }
  if (depth === 0 || random.once(3)) return random.pick(atoms) + random.pick(quantifiers);
  const inner = () => hostileRegex(random, depth - 1);
  if (random.once(3)) return inner() + inner();
  const group = random.once(3) ? random.pick(groups) : '(';
  return `${group}${inner()}${random.once(3) ? `|${inner()}` : ''})${random.pick(quantifiers)}`;
}
