import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import { readStoredEncodings } from './stored-encodings.ts';

let jsons: ReadonlyMap<string, unknown>;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-long-'));
  ({ jsons } = await readStoredEncodings());
});

after(() => rm(folder, { recursive: true, force: true }));

/** Text of about a megabyte that tempts some part of a tokenizer to take time in the square of its length. */
const megabyte = 2 ** 20;
const texts: Record<string, string> = {
  'one word': 'film'.repeat(megabyte / 4),
  'one character': 'a'.repeat(megabyte),
  'white space': ' '.repeat(megabyte),
  'white space before a word': `x${' '.repeat(1000)}`.repeat(megabyte / 1000),
  ideographs: '中文字'.repeat(megabyte / 9),
  'marks out of order': `a${'\u0301\u0316'.repeat(megabyte / 4)}`,
  'one grapheme': `👩${'\u200d👩'.repeat(megabyte / 7)}`,
  'the start of an added token': '<'.repeat(megabyte),
};

// In the square of the length each would take many minutes; the limit only tells the two apart.
for (const name of ['uncased', 'modernbert', 'eurobert', 'xlm-roberta', 'albert']) {
  test(`${name}: a megabyte takes seconds`, { timeout: 120_000 }, async () => {
    const file = join(folder, 'tokenizer.json');
    await writeFile(file, JSON.stringify(jsons.get(name)));
    const tokenizer = await loadTokenizer(file);
    for (const [what, text] of Object.entries(texts)) {
      const { ids } = tokenizer.encode(text, undefined, { maxLength: 512 });
      assert.ok(ids.length <= 512, what);
    }
  });
}
