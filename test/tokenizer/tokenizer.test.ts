import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { readStoredEncodings, type StoredEncoding, type TokenizerJson } from './stored-encodings.ts';

let jsons: Map<string, TokenizerJson>;
let encodings: StoredEncoding[];
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-tokenizer-'));
  ({ jsons, encodings } = await readStoredEncodings());
  for (const [name, json] of jsons) await write(`${name}/tokenizer.json`, JSON.stringify(json));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Writes a file of the temporary folder and gives its path. */
async function write(path: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  return file;
}

function vocabularyText(json: TokenizerJson): string {
  const tokens = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
  return `${tokens.map(([token]) => token).join('\n')}\n`;
}

function assertEncodes(tokenizer: Tokenizer, expected: StoredEncoding): void {
  const found = tokenizer.encode(expected.text, expected.pair, expected);
  const what = `${expected.tokenizer} ${JSON.stringify([expected.text, expected.pair])} ${expected.truncate} ${expected.maxLength}`;
  assert.deepEqual([...found.ids], expected.ids, `ids of ${what}`);
  assert.deepEqual([...found.typeIds], expected.typeIds, `types of ${what}`);
}

test("the ids and types of Python's tokenizers", async (t) => {
  assert.ok(jsons.size > 20);
  for (const name of jsons.keys()) {
    await t.test(name, async () => {
      const tokenizer = await loadTokenizer(join(folder, name));
      const mine = encodings.filter((encoding) => encoding.tokenizer === name);
      assert.ok(mine.length > 40);
      for (const expected of mine) assertEncodes(tokenizer, expected);
    });
  }
});

for (const name of ['roberta', 'deberta']) {
  test(`${name}: a vocab.json and merges.txt alone give the same tokenizer`, async () => {
    const { vocab, merges } = jsons.get(name)!.model;
    const file = await write(`${name}-vocab/vocab.json`, JSON.stringify(vocab));
    const lines = merges!.map((pair) => pair.join(' '));
    await write(`${name}-vocab/merges.txt`, ['#version: 0.2', ...lines, ''].join('\n'));
    const tokenizer = await loadTokenizer(join(file, '..'));
    assert.equal(tokenizer.padId, 1);
    const mask = / ?(<mask>|\[MASK\])/; // takes in the space before it as in the models' own files, not in each fixture
    const mine = encodings.filter(
      ({ tokenizer: of, text, pair }) => of === name && !mask.test(text + (pair ?? '')),
    );
    for (const expected of mine) assertEncodes(tokenizer, expected);
    const [masked] = tokenizer
      .encode(name === 'roberta' ? 'a <mask>' : 'a [MASK]', undefined, { maxLength: 9 })
      .ids.slice(2);
    assert.equal(masked, 4);
    const names = tokenizer.files.map((each) => each.name).sort();
    assert.deepEqual(names, ['merges.txt', 'tokenizer.json', 'tokenizer_config.json', 'vocab.json']);
  });
}

for (const name of ['uncased', 'cased']) {
  test(`${name}: a vocab.txt alone gives the same tokenizer`, async () => {
    const file = await write(`${name}-vocab/vocab.txt`, vocabularyText(jsons.get(name)!));
    if (name === 'cased') {
      await write(`${name}-vocab/tokenizer_config.json`, JSON.stringify({ do_lower_case: false }));
    }
    const tokenizer = await loadTokenizer(file);
    for (const expected of encodings) if (expected.tokenizer === name) assertEncodes(tokenizer, expected);
  });
}

test('a vocabulary with capitals is taken for a cased one when nothing says so', async () => {
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'berlin', 'Berlin'].join('\n');
  const cased = await loadTokenizer(await write('capitals/vocab.txt', vocabulary));
  assert.deepEqual([...cased.encode('Berlin berlin', undefined, { maxLength: 9 }).ids], [2, 5, 4, 3]);
  const lower = await loadTokenizer(await write('lower/vocab.txt', vocabulary.replace('Berlin', 'x')));
  assert.deepEqual([...lower.encode('Berlin berlin', undefined, { maxLength: 9 }).ids], [2, 4, 4, 3]);
});

test('head-tail keeps a quarter from the head and the rest from the end', async () => {
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...Array.from({ length: 600 }, (_, i) => `w${i}`)];
  const tokenizer = await loadTokenizer(await write('numbers/vocab.txt', vocabulary.join('\n')));
  const text = Array.from({ length: 600 }, (_, i) => `w${i}`).join(' ');
  const { ids } = tokenizer.encode(text, undefined, { maxLength: 512, truncate: 'head-tail' });
  const kept = [...ids].slice(1, -1).map((id) => id - 4);
  const expected = [
    ...Array.from({ length: 128 }, (_, i) => i),
    ...Array.from({ length: 382 }, (_, i) => 600 - 382 + i),
  ];
  assert.deepEqual(kept, expected);
  const pair = tokenizer.encode('w1 w2 w3 w4 w5 w6 w7 w8 w9', 'w0 w1', {
    maxLength: 9,
    truncate: 'head-tail',
  });
  assert.deepEqual(
    [...pair.ids].slice(1, 5).map((id) => id - 4),
    [1, 7, 8, 9],
  );
});

test('a length without room for text is refused', async () => {
  const tokenizer = await loadTokenizer(join(folder, 'uncased'));
  const at = (maxLength: number, pair?: string) => () => tokenizer.encode('good', pair, { maxLength });
  assert.equal(at(3)().ids.length, 3);
  assert.throws(at(2), { code: 'SESD_USAGE', message: /--max-length 2: a text needs at least 3 tokens/ });
  assert.throws(at(4, 'bad'), { code: 'SESD_USAGE', message: /a pair of texts needs at least 5 tokens/ });
});

test('the padding id is the padding token of the configuration, or of tokenizer.json', async () => {
  assert.equal((await loadTokenizer(join(folder, 'uncased'))).padId, 0);
  const roberta = JSON.stringify({ ...jsons.get('roberta')!, padding: null });
  const file = await write('pad/tokenizer.json', roberta);
  assert.equal((await loadTokenizer(file)).padId, 1);
  await write('pad/tokenizer_config.json', JSON.stringify({ pad_token: { content: '<mask>' } }));
  assert.equal((await loadTokenizer(file)).padId, 4);
});

test("every family's own padding id", async () => {
  const families = {
    mpnet: 1,
    roberta: 1,
    deberta: 1,
    'xlm-roberta': 1,
    camembert: 1,
    albert: 0,
    'deberta-v2': 0,
  };
  for (const [name, padId] of Object.entries(families)) {
    assert.equal((await loadTokenizer(join(folder, name))).padId, padId, name);
  }
  const modernBert = await loadTokenizer(join(folder, 'modernbert'));
  const [, pad] = modernBert.encode('[PAD]', undefined, { maxLength: 9 }).ids;
  assert.ok(modernBert.padId > 300);
  assert.equal(modernBert.padId, pad);
});

test('files for the exported model: copied when there, made when not', async () => {
  const text = vocabularyText(jsons.get('uncased')!);
  const map = '{"pad_token":"[PAD]"}';
  const file = await write('export/vocab.txt', text);
  await write('export/special_tokens_map.json', map);
  const { files } = await loadTokenizer(file);
  const content = (name: string) => Buffer.from(files.find((each) => each.name === name)!.content).toString();
  assert.deepEqual(files.map(({ name }) => name).sort(), [
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
  ]);
  assert.equal(content('vocab.txt'), text);
  assert.equal(content('special_tokens_map.json'), map);
  assert.equal(JSON.parse(content('tokenizer_config.json')).tokenizer_class, 'BertTokenizer');
  const again = await loadTokenizer(await write('again/tokenizer.json', content('tokenizer.json')));
  for (const expected of encodings) if (expected.tokenizer === 'uncased') assertEncodes(again, expected);
});

test('a vocabulary larger than the embedding table', async () => {
  const tokenizer = await loadTokenizer(join(folder, 'uncased'));
  tokenizer.checkFits(tokenizer.vocabularySize);
  assert.throws(() => tokenizer.checkFits(tokenizer.vocabularySize - 1), {
    code: 'SESD_BAD_TOKENIZER',
    message: /uncased.tokenizer\.json: \d+ tokens, but the model's embedding table has \d+ rows/,
  });
});

test('what cannot be loaded is named, with the way out', async () => {
  const model = { type: 'WordPiece', vocab: { a: 0 }, unk_token: 'a' };
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  const cases: [path: string, message: RegExp][] = [
    [join(folder, 'nowhere'), /nowhere: no such file or folder/],
    [folder, /no tokenizer; looked for tokenizer\.json, vocab\.txt and vocab\.json/],
    [await write('a/model.onnx', 'x'), /expected a tokenizer\.json or vocab\.txt, found model\.onnx/],
    [await write('b/tokenizer.json', '{"model": {'), /tokenizer\.json: not valid JSON/],
    [await write('c/tokenizer.json', '{"hidden_size": 3}'), /expected a tokenizer\.json, found no model/],
    [await write('d/tokenizer.json', 'null'), /expected an object, found null/],
    [await write('e/tokenizer.json', '{"model":{"type":"Word2Vec","vocab":{}}}'), /model type "Word2Vec"/],
    [
      await write('f/tokenizer.json', JSON.stringify({ model, ...parts, normalizer: { type: 'Leet' } })),
      /normalizer: normalizer "Leet" is not supported; known are Sequence, /,
    ],
    [
      await write('g/tokenizer.json', JSON.stringify({ model, ...parts, post_processor: { type: 'Odd' } })),
      /post_processor: post-processor "Odd" is not supported/,
    ],
    [await write('s/spiece.model', 'x'), /spiece\.model: a SentencePiece model alone is not read/],
    [join(folder, 's'), /spiece\.model: a SentencePiece model alone is not read/],
    [await write('v/vocab.json', '{"<s>":0,"</s>":1}'), /merges\.txt: cannot be read/],
    [await write('h/vocab.txt', 'a\nb\n[SEP]\n'), /vocab\.txt: no token \[UNK\], \[CLS\]/],
    [await write('i/vocab.txt', Buffer.from([0x61, 0xff])), /not valid UTF-8/],
  ];
  for (const [path, message] of cases) {
    await assert.rejects(loadTokenizer(path), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'SESD_BAD_TOKENIZER');
      assert.match(error.message, message);
      assert.ok(error.hint);
      return true;
    });
  }
});
