import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadTokenizer } from '../../src/tokenizer/load.ts';

type Json = Record<string, unknown>;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-malformed-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const wordPiece: Json = {
  type: 'WordPiece',
  unk_token: '[UNK]',
  continuing_subword_prefix: '##',
  max_input_chars_per_word: 100,
  vocab: { '[UNK]': 0, a: 1 },
};
const bpe: Json = { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] };
const unigram: Json = {
  type: 'Unigram',
  unk_id: 0,
  vocab: [
    ['<unk>', 0],
    ['a', -1],
  ],
};
const nested = (depth: number): Json =>
  depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };
const split = (pattern: unknown): Json => ({
  pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false },
});
const regex = (source: string) => split({ Regex: source });
const template = (pair: unknown): Json => ({
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ Sequence: { id: 'A', type_id: 0 } }],
    pair,
    special_tokens: { '[X]': { id: '[X]', ids: [1], tokens: ['[X]'] } },
  },
});
const sequence = (id: string, type_id: unknown = 0) => ({ Sequence: { id, type_id } });
const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });

/** What is put over a whole tokenizer.json, and what the error says of it. */
const cases: [over: Json, message: RegExp][] = [
  [{ model: null }, /found no model/],
  [{ model: [] }, /model: expected an object, found a list/],
  [{ model: { ...wordPiece, type: 7 } }, /model\.type: expected text, found 7/],
  [{ model: { ...wordPiece, vocab: 'a' } }, /model\.vocab: expected an object of ids by token, found "a"/],
  [
    { model: { ...wordPiece, vocab: { a: -1 } } },
    /model\.vocab\["a"\]: expected an id from 0 to \d+, found -1/,
  ],
  [
    { model: { ...wordPiece, vocab: { a: 1e300 } } },
    /model\.vocab\["a"\]: expected an id from 0 to \d+, found 1e\+300/,
  ],
  [{ model: { ...wordPiece, vocab: { a: 4294967295 } } }, /model\.vocab\["a"\]: expected an id/],
  [{ model: { ...wordPiece, vocab: { a: 0.5 } } }, /model\.vocab\["a"\]: expected an id/],
  [{ model: { ...wordPiece, vocab: { a: null } } }, /model\.vocab\["a"\]: expected an id/],
  [{ model: { ...wordPiece, unk_token: undefined } }, /model\.unk_token: expected text, found nothing/],
  [
    { model: { ...wordPiece, max_input_chars_per_word: '9' } },
    /max_input_chars_per_word: expected a whole number/,
  ],
  [{ model: { ...bpe, merges: 'a b' } }, /model\.merges: expected a list, found "a b"/],
  [{ model: { ...bpe, merges: ['a'] } }, /model\.merges\[0\]: expected two tokens, found "a"/],
  [{ model: { ...bpe, merges: ['a b c'] } }, /model\.merges\[0\]: expected two tokens/],
  [{ model: { ...bpe, merges: [['a', 1]] } }, /model\.merges\[0\]: expected two tokens, found "\\"a\\" 1"/],
  [
    {
      model: {
        ...bpe,
        merges: [
          ['a', 'b'],
          ['b', 'c'],
        ],
      },
    },
    /model\.merges\[1\]: expected tokens of the vocabulary/,
  ],
  [{ model: { ...bpe, merges: ['b a'] } }, /model\.merges\[0\]: expected tokens .* make one, "ba", of it/],
  [{ model: { ...bpe, merges: [null] } }, /model\.merges\[0\]: expected two tokens, found null/],
  [
    { model: { ...bpe, dropout: 0.1 } },
    /model\.dropout: expected null: with dropout a text has no fixed tokens/,
  ],
  [{ model: { ...bpe, byte_fallback: 'yes' } }, /model\.byte_fallback: expected true or false, found "yes"/],
  [{ model: { ...unigram, vocab: [] } }, /model\.vocab: expected a token at least/],
  [
    { model: { ...unigram, vocab: {} } },
    /model\.vocab: expected a list of tokens with their scores, found an object/,
  ],
  [{ model: { ...unigram, vocab: [['a', 'x']] } }, /model\.vocab\[0\]: expected a token and its score/],
  [{ model: { ...unigram, vocab: ['a'] } }, /model\.vocab\[0\]: expected a token and its score, found "a"/],
  [{ model: { ...unigram, unk_id: 2 } }, /model\.unk_id: expected an id below 2, found 2/],
  [{ model: { ...unigram, unk_id: 'a' } }, /model\.unk_id: expected a whole number from 0, found "a"/],
  [{ added_tokens: {} }, /added_tokens: expected a list, found an object/],
  [{ added_tokens: [7] }, /added_tokens\[0\]: expected an object, found 7/],
  [{ added_tokens: [{ id: 1 }] }, /added_tokens\[0\]\.content: expected text, found nothing/],
  [
    { added_tokens: [{ id: -1, content: 'x' }] },
    /added_tokens\[0\]\.id: expected a whole number from 0, found -1/,
  ],
  [
    { added_tokens: [{ id: 2, content: 'x', lstrip: 1 }] },
    /added_tokens\[0\]\.lstrip: expected true or false/,
  ],
  [
    {
      normalizer: { type: 'Lowercase' },
      added_tokens: [
        { id: 2, content: 'X', normalized: true },
        { id: 3, content: 'x', normalized: true },
      ],
    },
    /the added token "x" is the same as "X" when normalized/,
  ],
  [{ normalizer: 'NFC' }, /normalizer: expected an object, found "NFC"/],
  [{ normalizer: {} }, /normalizer\.type: expected text, found nothing/],
  [{ normalizer: { type: 'toString' } }, /normalizer "toString" is not supported/],
  [
    { normalizer: { type: 'Strip', strip_left: true } },
    /normalizer\.strip_right: expected true or false, found nothing/,
  ],
  [
    { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, 3] } },
    /normalizers\[1\]: expected an object, found 3/,
  ],
  [{ normalizer: nested(500) }, /parts nested more than 128 deep/],
  [
    { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } },
    /precompiled_charsmap of 0 bytes does not hold the trie/,
  ],
  [
    { normalizer: { type: 'Precompiled', precompiled_charsmap: '/////w==' } },
    /does not hold the trie it announces/,
  ],
  [
    { normalizer: { type: 'Replace', pattern: 'a', content: '' } },
    /normalizer\.pattern: expected an object, found "a"/,
  ],
  [
    { normalizer: { type: 'Replace', pattern: {}, content: '' } },
    /normalizer\.pattern\.Regex: expected text, found nothing/,
  ],
  [
    { pre_tokenizer: { type: 'UnicodeScripts' } },
    /pre-tokenizer "UnicodeScripts" is not supported; known are /,
  ],
  [
    { pre_tokenizer: { type: 'Metaspace', replacement: '__' } },
    /replacement: expected one character, found "__"/,
  ],
  [
    { pre_tokenizer: { type: 'Metaspace', replacement: '_', prepend_scheme: 'last' } },
    /expected one of always, first, never/,
  ],
  [
    { pre_tokenizer: { type: 'Split', pattern: { String: 'a' }, behavior: 'Cut' } },
    /behavior: expected one of Removed, Isolated/,
  ],
  [
    {
      pre_tokenizer: {
        type: 'Metaspace',
        replacement: '_',
        prepend_scheme: 'first',
        add_prefix_space: false,
      },
    },
    /pre_tokenizer: prepend_scheme "first" and add_prefix_space false/,
  ],
  [regex('(a'), /the regular expression "\(a" is not supported: an unmatched "\("/],
  [regex('a)'), /not supported: an unmatched "\)"/],
  [regex('*'), /not supported: "\*" with nothing to repeat/],
  [regex('[a'), /not supported: an end too soon/],
  [regex('[a&&b]'), /not supported: an intersection of classes/],
  [regex('[[:alpha:]]'), /not supported: a class inside a class/],
  [regex('(a)\\1'), /not supported: the escape \\1/],
  [regex('(?m:a)'), /not supported: the option \(\?m\)/],
  [regex('\\p{Nonsense}'), /not supported: Invalid regular expression/],
  [regex('[z-a]'), /not supported: Invalid regular expression/],
  [
    { post_processor: { type: 'BertProcessing', sep: ['[SEP]'], cls: ['[CLS]', 1] } },
    /post_processor\.cls|post_processor\.sep/,
  ],
  [
    { post_processor: { type: 'BertProcessing', sep: ['[SEP]', 9], cls: ['[CLS]', 1] } },
    /post_processor: expected ids below 2, found 9/,
  ],
  [{ post_processor: { type: 'Sequence', processors: [{}] } }, /processors\[0\]\.type: expected text/],
  [template([sequence('A')]), /pair must name the texts A and B once, found A/],
  [
    template([sequence('A'), sequence('A'), sequence('B')]),
    /pair must name the texts A and B once, found A and A and B/,
  ],
  [template([sequence('A'), sequence('C')]), /Sequence\.id: expected A or B, found "C"/],
  [
    template([sequence('A'), sequence('B', -1)]),
    /Sequence\.type_id: expected a whole number from 0, found -1/,
  ],
  [
    template([sequence('A'), sequence('B'), special('[Y]')]),
    /special_tokens\.\[Y\]: expected an object, found nothing/,
  ],
  [{ padding: 3 }, /padding: expected an object, found 3/],
];

async function load(json: Json) {
  const file = join(folder, 'tokenizer.json');
  await writeFile(file, JSON.stringify(json));
  return loadTokenizer(file);
}

test('a malformed tokenizer.json is refused by the name of its part', async () => {
  for (const [over, message] of cases) {
    await assert.rejects(
      load({ version: '1.0', model: wordPiece, ...over }),
      (error: Error & { code: string }) => {
        assert.equal(
          error.code,
          'SESD_BAD_TOKENIZER',
          `${JSON.stringify(over).slice(0, 200)}: ${error.stack}`,
        );
        assert.match(error.message, message);
        assert.match(error.message, /tokenizer\.json: /);
        return true;
      },
    );
  }
});

test('an unknown character without a token for it is an error of the tokenizer', async () => {
  const models = [
    { ...wordPiece, unk_token: '?' },
    { ...bpe, unk_token: '?' },
    { ...unigram, unk_id: null },
  ];
  for (const model of models) {
    const tokenizer = await load({ model });
    assert.equal(tokenizer.encode('a', undefined, { maxLength: 9 }).ids.length, 1);
    assert.throws(() => tokenizer.encode('é', undefined, { maxLength: 9 }), { code: 'SESD_BAD_TOKENIZER' });
  }
});

for (const model of [wordPiece, bpe, unigram]) {
  test(`${model.type}: a part changed is refused or taken, never a crash`, async () => {
    const whole: Json = {
      added_tokens: [{ id: 3, content: '<x>', lstrip: true, special: true }],
      normalizer: {
        type: 'Sequence',
        normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' +' }, content: ' ' }],
      },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Metaspace', replacement: '▁' },
          { type: 'Digits', individual_digits: true },
        ],
      },
      post_processor: template([sequence('A'), special('[X]'), sequence('B')]).post_processor,
      padding: { pad_id: 0, pad_token: 'a' },
      model,
    };
    const values = [null, 0, -1, 1.5, 1e18, '', 'x', true, [], {}, [[]], [null], { type: 'Sequence' }];
    const places = (value: unknown): [Json, string][] =>
      typeof value !== 'object' || value === null
        ? []
        : Object.keys(value).flatMap((key) => [
            [value as Json, key] as [Json, string],
            ...places((value as Json)[key]),
          ]);
    const count = places(structuredClone(whole)).length;
    for (let index = 0; index < count; index++) {
      for (const value of values) {
        const changed = structuredClone(whole);
        const [parent, key] = places(changed)[index]!;
        parent[key] = value;
        try {
          (await load(changed)).encode('a b <x> é 12', 'ab', { maxLength: 64 });
        } catch (error) {
          assert.equal(
            (error as { code?: string }).code,
            'SESD_BAD_TOKENIZER',
            `${key} = ${JSON.stringify(value)}: ${(error as Error).stack}`,
          );
        }
      }
    }
  });
}
