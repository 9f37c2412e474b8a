import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gradientRules } from '../../../src/autodiff/rules/index.ts';
import { lowerings } from '../../../src/graph/lowerings/index.ts';

test('every lowering has a test against the op it replaces, and no gradient rule beside it', async () => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.test.ts'));
  const texts = await Promise.all(files.map((file) => readFile(`${import.meta.dirname}/${file}`, 'utf8')));
  const tested = new Set(
    texts.flatMap((text) => [...text.matchAll(/loweringTests\(\s*'([^']+)'/g)].map(([, op]) => op)),
  );
  for (const op of Object.keys(lowerings)) {
    assert.ok(tested.has(op), `${op} has no loweringTests`);
    assert.ok(!(op in gradientRules), `${op} has a gradient rule too`);
  }
});
