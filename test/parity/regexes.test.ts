import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitText } from '../../src/tokenizer/pre-tokenizers/split.ts';
import { compileRegex } from '../../src/tokenizer/regex.ts';
import { findPython, runPython } from './python.ts';

const { python, missing } = await findPython();

test('regular expressions match where Oniguruma matches', { skip: missing ?? false }, async (t) => {
  const { texts, splits } = JSON.parse(await runPython(python!, 'test/parity/regexes.py', [])) as {
    texts: string[];
    splits: [pattern: string, pieces: string[][]][];
  };
  assert.ok(splits.length >= 30);
  for (const [source, pieces] of splits) {
    await t.test(JSON.stringify(source), () => {
      const pattern = compileRegex(source);
      for (const [index, text] of texts.entries()) {
        const found = splitText(text, pattern, 'Isolated').filter((piece) => piece !== '');
        assert.deepEqual(found, pieces[index], JSON.stringify(text));
      }
    });
  }
});
