import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTokenizer } from '../../../src/tokenizer/load.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { mutateJson } from '../mutate/json.ts';
import type { Target } from '../target.ts';
import { attemptAll } from './attempts.ts';
import { bpe, unigram, vocabulary, withHostileRules } from './tokenizer-seeds.ts';

const fixture = join(import.meta.dirname, '../../fixtures/tiny-bert/tokenizer.json');
const texts = [
  'The quick brown fox',
  '',
  '  ',
  'žluťoučký 🐎 [MASK] 你好',
  '\0\ud800<s>▁a',
  `${'ab '.repeat(300)}end`,
  `${'a'.repeat(5000)}!`,
];

/** tokenizer.json or vocab.txt and what is beside it: loaded, then put to texts. */
export const tokenizer: Target = {
  name: 'tokenizer',
  cases: 7000,
  async load() {
    const seeds = [JSON.parse(await readFile(fixture, 'utf8')), bpe, unigram];
    const config = {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      pad_token: '[PAD]',
      strip_accents: null,
    };
    return (random) => {
      const files: Record<string, Uint8Array> = {};
      const seed = random.once(4) ? withHostileRules(random) : random.pick(seeds);
      if (random.once(4)) files['vocab.txt'] = mutateBytes(random, Buffer.from(vocabulary));
      else {
        const json = random.once(6) ? JSON.stringify(seed) : mutateJson(random, seed);
        files['tokenizer.json'] = random.once(6) ? mutateBytes(random, Buffer.from(json)) : Buffer.from(json);
      }
      if (random.once(3)) files['tokenizer_config.json'] = Buffer.from(mutateJson(random, config));
      if (random.once(8)) files['special_tokens_map.json'] = Buffer.from(mutateJson(random, config));
      return { files };
    };
  },
  async run(folder) {
    const loaded = await loadTokenizer(folder);
    await attemptAll([
      ...texts.map((text) => () => loaded.encode(text, undefined, { maxLength: 16 })),
      () => loaded.encode(texts[0]!, texts[3]!, { maxLength: 16, truncate: 'head-tail' }),
      () => loaded.checkFits(100),
    ]);
  },
};
