import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { collate, evaluationBatches, placeLogits } from '../../src/data/batching.ts';

const encoded = (...ids: number[]) => ({
  ids: Int32Array.from(ids),
  typeIds: Int32Array.from(ids, (id) => id % 2),
  label: 0,
});
const numbers = (values: BigInt64Array) => [...values].map(Number);

test('a batch is as long as its longest example', () => {
  const batch = collate([encoded(5, 6), encoded(7, 8, 9)], { padId: 1 });
  assert.equal(batch.rows, 2);
  assert.equal(batch.length, 3);
  assert.equal(batch.examples, 2);
  assert.deepEqual(numbers(batch.inputIds), [5, 6, 1, 7, 8, 9]);
  assert.deepEqual(numbers(batch.attentionMask), [1, 1, 0, 1, 1, 1]);
  assert.deepEqual(numbers(batch.tokenTypeIds), [1, 0, 0, 1, 0, 1]);
});

test('a batch of a fixed shape repeats its last example', () => {
  const batch = collate([encoded(4), encoded(5, 6)], { padId: 0, fixed: { rows: 3, length: 3 } });
  assert.equal(batch.examples, 2);
  assert.deepEqual(numbers(batch.inputIds), [4, 0, 0, 5, 6, 0, 5, 6, 0]);
  assert.deepEqual(numbers(batch.attentionMask), [1, 0, 0, 1, 1, 0, 1, 1, 0]);
});

test('what does not fit the fixed shape is refused', () => {
  assert.throws(() => collate([encoded(1), encoded(2)], { padId: 0, fixed: { rows: 1 } }), RangeError);
  assert.throws(() => collate([encoded(1, 2)], { padId: 0, fixed: { length: 1 } }), RangeError);
  assert.throws(() => collate([], { padId: 0 }), RangeError);
});

test('evaluation batches hold every example once, within their limits', () => {
  const example = fc
    .integer({ min: 1, max: 40 })
    .map((length) => encoded(...new Array<number>(length).fill(3)));
  fc.assert(
    fc.property(
      fc.array(example, { maxLength: 60 }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 200 }),
      (examples, maxRows, maxTokens) => {
        const batches = evaluationBatches(examples, { maxRows, maxTokens });
        const indices = batches.flatMap((batch) => [...batch]);
        assert.deepEqual(
          indices.toSorted((a, b) => a - b),
          examples.map((_, i) => i),
        );
        let last = Number.POSITIVE_INFINITY;
        for (const batch of batches) {
          const longest = Math.max(...[...batch].map((index) => examples[index]!.ids.length));
          assert.ok(batch.length <= maxRows);
          assert.ok(batch.length === 1 || batch.length * longest <= maxTokens);
          assert.ok(longest <= last);
          last = longest;
        }
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

test('logits go back to where their examples stand', () => {
  const examples = [encoded(1), encoded(1, 2, 3), encoded(1, 2)];
  const all = new Float32Array(6);
  for (const indices of evaluationBatches(examples, { maxRows: 2, maxTokens: 100 })) {
    const rows = [...indices].flatMap((index) => [index, -index]);
    rows.push(99, 99); // a row of filling
    placeLogits(all, indices, { data: Float32Array.from(rows), rows: indices.length + 1, classes: 2 });
  }
  assert.deepEqual([...all], [0, -0, 1, -1, 2, -2]);
});
