import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epochOrder } from '../../src/data/sampler.ts';
import { splitDev } from '../../src/data/split.ts';

const sorted = (order: Iterable<number>) => [...order].sort((a, b) => a - b);
const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test('an epoch visits every example once, in an order of seed and epoch alone', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer(), fc.nat(20), (count, seed, epoch) => {
      const order = epochOrder(count, { seed, epoch, shuffle: true });
      assert.deepEqual(sorted(order), range(count));
      assert.deepEqual(epochOrder(count, { seed, epoch, shuffle: true }), order);
    }),
    { seed: 11, numRuns: 100 },
  );
});

test('orders differ between epochs and between neighbouring seeds', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    for (let epoch = 0; epoch < 10; epoch++) {
      seen.add(epochOrder(50, { seed, epoch, shuffle: true }).join());
    }
  }
  assert.equal(seen.size, 100);
});

test('every example is as likely to come first', () => {
  const first = new Array<number>(5).fill(0);
  for (let seed = 0; seed < 5000; seed++) first[epochOrder(5, { seed, epoch: 0, shuffle: true })[0]!]!++;
  // Binomial(5000, 1/5): mean 1000, standard deviation 28
  for (const count of first) assert.ok(Math.abs(count - 1000) < 140, `${first}`);
});

test('the order of a seed stays what it was', () => {
  assert.deepEqual([...epochOrder(8, { seed: 42, epoch: 0, shuffle: true })], [2, 7, 5, 1, 6, 0, 4, 3]);
  assert.deepEqual([...epochOrder(8, { seed: 42, epoch: 3, shuffle: true })], [1, 0, 6, 3, 2, 7, 5, 4]);
  assert.deepEqual([...epochOrder(4, { seed: 42, epoch: 3, shuffle: false })], [0, 1, 2, 3]);
});

const examples = (labels: string[]) => labels.map((label, line) => ({ text: `${line}`, label, line }));

test('a split keeps the shares of the labels, and the order of the file', () => {
  const data = examples(range(200).map((i) => (i % 4 === 0 ? 'rare' : 'common')));
  const { train, dev } = splitDev(data, 0.1, 42);
  assert.equal(dev.filter(({ label }) => label === 'rare').length, 5);
  assert.equal(dev.length, 20);
  const lines = (part: { line: number }[]) => part.map(({ line }) => line);
  assert.deepEqual(lines(train), sorted(lines(train)));
  assert.deepEqual(lines(dev), sorted(lines(dev)));
  assert.deepEqual(splitDev(data, 0.1, 42), { train, dev });
  assert.notDeepEqual(splitDev(data, 0.1, 43).dev, dev);
});

test('a split loses nothing, and every label stays in training', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 8, maxLength: 60 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.integer(),
      (labels, fraction, seed) => {
        const data = examples(labels);
        const { train, dev } = splitDev(data, fraction, seed);
        assert.deepEqual(sorted([...train, ...dev].map(({ line }) => line)), range(data.length));
        assert.deepEqual(new Set(train.map(({ label }) => label)), new Set(labels));
        assert.ok(dev.length > 0);
        const room = data.length - new Set(labels).size;
        assert.equal(dev.length, Math.min(room, Math.max(1, Math.round(fraction * data.length))));
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test('a split by numbers does not need each of them in training', () => {
  const data = examples(range(20).map((i) => `${i / 7}`));
  assert.throws(() => splitDev(data, 0.25, 1), /too few/);
  const { train, dev } = splitDev(data, 0.25, 1, { stratified: false });
  assert.deepEqual([train.length, dev.length], [15, 5]);
  assert.deepEqual(sorted([...train, ...dev].map(({ line }) => line)), range(20));
});

test('a fraction that is none, and too few examples', () => {
  for (const fraction of [0, 1, -0.1, 7, Number.NaN]) {
    assert.throws(() => splitDev(examples(['a', 'b']), fraction, 1), { code: 'SESD_USAGE' });
  }
  assert.throws(() => splitDev(examples(['a', 'b']), 0.5, 1), { code: 'SESD_BAD_DATA', message: /too few/ });
});
