import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawExamples } from '../../src/data/draw.ts';

/** 60 examples of a, 30 of b and 10 of c. */
const examples = Array.from({ length: 100 }, (_, i) => ({
  text: `${i}`,
  label: i % 10 === 9 ? 'c' : i % 10 < 6 ? 'a' : 'b',
  line: i + 1,
}));
const lines = (count: number, seed: number) => drawExamples(examples, count, seed).map(({ line }) => line);

test('every label is drawn in its share, in the order of the file', () => {
  for (const count of [10, 20, 50, 90]) {
    const drawn = drawExamples(examples, count, 7);
    assert.equal(drawn.length, count);
    for (const [label, share] of Object.entries({ a: 0.6, b: 0.3, c: 0.1 })) {
      const found = drawn.filter((example) => example.label === label).length;
      assert.ok(Math.abs(found - share * count) <= 1, `${found} of ${label} among ${count}`);
    }
  }
  const drawn = lines(30, 7);
  assert.deepEqual(
    drawn,
    drawn.toSorted((a, b) => a - b),
  );
  assert.deepEqual(drawExamples(examples, 1000, 7), examples);
});

test('a seed draws the same again, and more of the same', () => {
  assert.deepEqual(lines(20, 7), lines(20, 7));
  assert.notDeepEqual(lines(20, 7), lines(20, 8));
  const more = new Set(lines(21, 7));
  for (const line of lines(20, 7)) assert.ok(more.has(line));
});
