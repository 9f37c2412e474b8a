import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { elementwiseRules, flatOps, gradientRules } from '../../src/autodiff/rules/index.ts';

/** Ops that test files of this folder name: `gradientTests('Op', …)`, or a loop `for (const op of ['Op', …])`. */
async function testedOps(): Promise<Set<string>> {
  const tested = new Set<string>();
  for (const file of await readdir(import.meta.dirname)) {
    if (!file.endsWith('.test.ts') || file === 'coverage.test.ts') continue;
    const text = await readFile(`${import.meta.dirname}/${file}`, 'utf8');
    for (const [, op] of text.matchAll(/gradientTests\(\s*'([^']+)'/g)) tested.add(op!);
    for (const [, list] of text.matchAll(/for \(const op of \[([^\]]*)\]\)/g)) {
      for (const [, op] of list!.matchAll(/'([^']+)'/g)) tested.add(op!);
    }
  }
  return tested;
}

test('every gradient rule has a test', async () => {
  const tested = await testedOps();
  assert.deepEqual(
    Object.keys(gradientRules).filter((op) => !tested.has(op)),
    [],
    'rules without gradientTests',
  );
});

test('no op both has a gradient and is flat, and the elementwise ones have a rule', () => {
  for (const op of flatOps) assert.ok(!(op in gradientRules), op);
  for (const op of elementwiseRules) assert.ok(op in gradientRules, op);
});
