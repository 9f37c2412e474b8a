import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trainFields } from '../../src/config/train-options.ts';
import { collate } from '../../src/data/batching.ts';
import { createStrategy } from '../../src/strategy/index.ts';
import type { StrategyOptions } from '../../src/strategy/strategy.ts';
import { TinyEngine } from '../train/tiny-engine.ts';
import { tinyExamples } from '../train/tiny-run.ts';

const options: StrategyOptions = {
  strategy: 'sda',
  window: 'all',
  lambda: 1,
  distance: 'mse',
  poolIncludesStudent: false,
  dropout: 0.1,
};
const batch = collate(tinyExamples(5), { padId: 0 });

/** Sets every weight of the student to a number, so that a mean shows which students it is of. */
async function become(engine: TinyEngine, value: number): Promise<void> {
  await engine.student.write(
    (async function* () {
      for (const { name, size } of engine.parameters)
        yield { name, data: new Float32Array(size).fill(value) };
    })(),
  );
}

/** The teacher's weight at steps 1..6 when θ_i has all weights 10^i. */
async function teachers(more: Partial<StrategyOptions>): Promise<number[]> {
  const engine = new TinyEngine();
  await become(engine, 1);
  const strategy = await createStrategy(engine, { ...options, ...more });
  const seen: number[] = [];
  for (let step = 1; step <= 6; step++) {
    for await (const { data } of strategy.average!.weights.read()) seen[step - 1] = data[0]!;
    await strategy.beforeUpdate(step);
    await become(engine, 10 ** step);
    await strategy.afterUpdate(step);
  }
  return seen.map((value) => Math.round(value * 60) / 60);
}

const mean = (...exponents: number[]) =>
  Math.round((exponents.reduce((sum, i) => sum + 10 ** i, 0) / exponents.length) * 60) / 60;

describe('the pool of sda at steps 1 to 6', () => {
  test('K = 1 holds θ_{t−2}, and θ_0 at the start', async () => {
    assert.deepEqual(
      await teachers({ window: 1 }),
      [0, 0, 1, 2, 3, 4].map((i) => mean(i)),
    );
  });

  test('K = 3 holds the newest three of θ_0..θ_{t−2}', async () => {
    const expected = [mean(0), mean(0), mean(0, 1), mean(0, 1, 2), mean(1, 2, 3), mean(2, 3, 4)];
    assert.deepEqual(await teachers({ window: 3 }), expected);
  });

  test('all holds every one of them', async () => {
    const found = await teachers({ window: 'all' });
    const expected = [mean(0), mean(0), mean(0, 1), mean(0, 1, 2), mean(0, 1, 2, 3), mean(0, 1, 2, 3, 4)];
    found.forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) <= 1e-6 * expected[i]!, `step ${i + 1}: ${value}`);
    });
  });

  test('with the student holds θ_{t−1} too', async () => {
    const one = await teachers({ window: 1, poolIncludesStudent: true });
    assert.deepEqual(
      one,
      [0, 1, 2, 3, 4, 5].map((i) => mean(i)),
    );
    const three = await teachers({ window: 3, poolIncludesStudent: true });
    assert.deepEqual(three, [
      mean(0),
      mean(0, 1),
      mean(0, 1, 2),
      mean(1, 2, 3),
      mean(2, 3, 4),
      mean(3, 4, 5),
    ]);
  });

  test('takes a student once, though a step is tried twice', async () => {
    const engine = new TinyEngine();
    const strategy = await createStrategy(engine, options);
    for (const step of [1, 2, 3, 3]) await strategy.beforeUpdate(step);
    assert.deepEqual(strategy.state().counters, { pool: 3 });
  });
});

describe('teaching', () => {
  test('needs no inference where there is no teacher, or where the student would teach itself', async () => {
    const engine = new TinyEngine();
    const finetune = await createStrategy(engine, { ...options, strategy: 'finetune' });
    assert.equal(await finetune.teach(batch), undefined);
    const itself = { ...options, window: 1, poolIncludesStudent: true };
    const self = await createStrategy(engine, { ...itself, dropout: 0 });
    assert.equal(await self.teach(batch), 'student');
    assert.equal(engine.log.infers, 0);
    const dropping = await createStrategy(engine, itself);
    assert.deepEqual(await dropping.teach(batch), (await engine.infer(engine.student, batch)).data);
  });
});

test('every strategy the flag names can be created', async () => {
  const { choices } = trainFields.find(({ name }) => name === 'strategy')!;
  for (const strategy of choices!)
    await createStrategy(new TinyEngine(), { ...options, strategy: strategy as StrategyOptions['strategy'] });
});
