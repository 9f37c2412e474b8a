import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import { compileRegex } from '../../src/tokenizer/regex.ts';

type Json = Record<string, unknown>;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-hostile-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const model: Json = { type: 'WordPiece', unk_token: '[UNK]', vocab: { '[UNK]': 0, a: 1, '##a': 2 } };
const regex = (source: string) => ({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated' });
const split = (source: string): Json => ({ pre_tokenizer: regex(source) });

/** What a tokenizer.json makes of a text, in seconds at most. */
async function encode(json: Json, text: string): Promise<number[]> {
  const file = join(folder, 'tokenizer.json');
  await writeFile(file, JSON.stringify({ version: '1.0', added_tokens: [], model, ...json }));
  const began = performance.now();
  try {
    const tokenizer = await loadTokenizer(file);
    return [...tokenizer.encode(text, undefined, { maxLength: 32 }).ids];
  } finally {
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds < 5, `${seconds} s`);
  }
}

const refused = (json: Json, text: string, message: RegExp) =>
  assert.rejects(encode(json, text), { code: 'SESD_BAD_TOKENIZER', message });

const word = `${'a'.repeat(5000)}!`;

describe('regular expressions that a backtracking matcher takes years for', () => {
  for (const source of [...['(a+)+$', '(a|a)*$', '(a|aa)+$', '(.*)*\\d', '((a*)*)*\\d', 'a*a*a*a*a*a*b']]) {
    test(source, async () => {
      assert.deepEqual(await encode(split(source), word), [0]); // matches nothing: one word, too long
      assert.deepEqual(await encode(split(source.replace(/\\d|b$|\$/, '!')), 'aaa!'), [0]);
    });
  }

  test('one that takes the square of a run of white space', async () => {
    assert.deepEqual(await encode(split('\\s+$'), `x${' '.repeat(2 ** 20)}x`), [0]);
  });

  for (const source of ['(?=(a+)+b)a', '(?>(?:a+)+b)', 'a++b', '(?>a*)b', '(?:(?=a*b)a)+', '(?!a*!)a']) {
    test(`${source}, in groups that are passed or looked at as a whole`, async () => {
      assert.deepEqual(await encode(split(source), `${'a'.repeat(200_000)}!`), [0]);
    });
  }

  test('what is kept of such groups changes no match', () => {
    const text = `${'a'.repeat(2000)}!`;
    const found = (source: string) => [...compileRegex(source)(text)].map(({ start, end }) => [start, end]);
    assert.deepEqual(found('(?>(?:a+)+)!'), [[0, 2001]]);
    assert.deepEqual(found('(?>(?:a+)+b|aa)').length, 1000);
    assert.deepEqual(found('(?:a|aa)+b|(?=(?:a+)+!)a').length, 2000);
    assert.deepEqual(found('(?=(?:a*)*b)a|(?=(?:|a)*!)aa').length, 1000);
    assert.deepEqual(found('(?>(?:|aa|a)*)!'), [[0, 2001]]);
  });

  for (const source of ['(?<=a{1,200}b)a', '(a?){200}a{200}\\d']) {
    test(`${source} is given up`, () => refused(split(source), word, /it takes too long on a text$/));
  }

  for (const source of ['((((((a{9}){9}){9}){9}){9}){9})', '(?:'.repeat(2000) + 'a{2}'.repeat(2000)]) {
    test(`${source.slice(0, 20)}… is refused`, () => refused(split(source), 'a', /is not supported: /));
  }
});

describe('rules that let a text grow', () => {
  const grows = /it makes a text grow to more than \d+ characters$/;
  const normalizers = (...steps: Json[]): Json => ({ normalizer: { type: 'Sequence', normalizers: steps } });
  const twice: Json = { type: 'Replace', pattern: { String: 'a' }, content: 'aa' };

  test('twice', async () => {
    assert.deepEqual(await encode(normalizers(twice, twice), 'a'), [1, 2, 2, 2]);
    await refused(normalizers(...Array<Json>(60).fill(twice)), 'a', grows);
  });

  test('by a replacement as long as the file', () =>
    refused(
      { normalizer: { type: 'Replace', pattern: { Regex: '' }, content: 'x'.repeat(20_000) } },
      word,
      grows,
    ));

  test('as bytes of bytes', async () => {
    await refused(normalizers(...Array<Json>(40).fill({ type: 'ByteLevel' })), 'é', grows);
    const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
    const pretokenizers = Array<Json>(40).fill(bytes);
    await refused({ pre_tokenizer: { type: 'Sequence', pretokenizers } }, 'é', grows);
  });

  test('by a charsmap', async () => {
    // The trie leads from "a" to the replacement at 0, which has a megabyte.
    const units = new Uint32Array(512);
    const child = 1 ^ 97;
    units[0] = 1 << 10;
    units[child] = (2 << 10) | 0x100 | 97;
    units[child ^ 2] = 0x80000000;
    const size = Buffer.from(Uint32Array.of(4 * units.length).buffer);
    const map = Buffer.concat([size, Buffer.from(units.buffer), Buffer.alloc(2 ** 20, 'x')]);
    const normalizer = { type: 'Precompiled', precompiled_charsmap: map.toString('base64') };
    assert.deepEqual(await encode({ normalizer }, 'a'), [0]);
    await refused({ normalizer }, 'a'.repeat(600), grows);
  });
});

test('a long token that the word might begin', async () => {
  const vocab = { '[UNK]': 0, a: 1, ['b'.repeat(5000)]: 2 };
  const json = { ...model, continuing_subword_prefix: '', max_input_chars_per_word: 1e9, vocab };
  assert.deepEqual(await encode({ model: json }, 'a'.repeat(5000)), Array(32).fill(1));
});

test('a template that names a long list of ids again and again', async () => {
  const post_processor = {
    type: 'TemplateProcessing',
    single: [
      { Sequence: { id: 'A', type_id: 0 } },
      ...Array<Json>(20_000).fill({ SpecialToken: { id: 's', type_id: 0 } }),
    ],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { s: { id: 's', ids: Array(100_000).fill(0), tokens: [] } },
  };
  await assert.rejects(encode({ post_processor }, 'a'), { code: 'SESD_USAGE' });
});
