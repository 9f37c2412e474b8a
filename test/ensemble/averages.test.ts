import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Weights } from '../../src/engine/engine.ts';
import type { Ensemble, WeightAverage } from '../../src/ensemble/ensemble.ts';
import { MovingAverage } from '../../src/ensemble/moving-average.ts';
import { Pool, type PoolOptions } from '../../src/ensemble/pool.ts';
import { RunningMean } from '../../src/ensemble/running-mean.ts';
import { WindowMean } from '../../src/ensemble/window-mean.ts';
import { flatten, TinyEngine } from '../train/tiny-engine.ts';

/** Makes the engine's student θ_i, every weight different. */
async function become(engine: TinyEngine, i: number): Promise<number[]> {
  const values = engine.parameters.map(({ name, size }, p) => ({
    name,
    data: Float32Array.from({ length: size }, (_, j) => Math.cos(31 * i + 7 * p + j)),
  }));
  await engine.student.write(
    (async function* () {
      yield* values;
    })(),
  );
  return values.flatMap(({ data }) => [...data]);
}

async function take(engine: TinyEngine, ensemble: Ensemble): Promise<void> {
  await engine.average(engine.student, await ensemble.next());
  ensemble.taken();
}

function meanOf(students: readonly number[][]): number[] {
  return students[0]!.map((_, i) => students.reduce((sum, theta) => sum + theta[i]!, 0) / students.length);
}

async function assertIs(weights: Weights, expected: readonly number[], what: string, tolerance = 1e-6) {
  (await flatten(weights.read())).forEach((value, j) => {
    assert.ok(Math.abs(value - expected[j]!) < tolerance, `weight ${j} ${what}: ${value}, ${expected[j]}`);
  });
}

const pool = (size: number, more: Partial<PoolOptions> = {}): PoolOptions => ({
  size,
  window: size,
  select: 'recent',
  storage: 'memory',
  ...more,
});

/** Lower is better; of students 0, 1, 2, … the best are 3, 6, 1 and so on. */
const losses = [5, 2, 6, 0, 4, 3, 1, 7, 8];

interface Kind {
  name: string;
  create(engine: TinyEngine): Promise<WeightAverage>;
  /** Indices of the students the mean is of, when those up to `newest` were taken. */
  members(newest: number): number[];
  tolerance?: number;
}

const from = (first: number, last: number) =>
  Array.from({ length: last - Math.max(0, first) + 1 }, (_, i) => Math.max(0, first) + i);

const kinds: Kind[] = [
  {
    name: 'window of 1',
    create: (engine) => WindowMean.create(engine, pool(1)),
    members: (newest) => [newest],
  },
  {
    name: 'window of 3',
    create: (engine) => WindowMean.create(engine, pool(3)),
    members: (newest) => from(newest - 2, newest),
  },
  {
    name: 'window of 3 in bfloat16',
    create: (engine) => WindowMean.create(engine, pool(3, { storage: 'bf16' })),
    members: (newest) => from(newest - 2, newest),
    tolerance: 2 ** -9,
  },
  {
    name: 'three of five, spaced',
    create: (engine) => WindowMean.create(engine, pool(5, { window: 3, select: 'spaced' })),
    members: (newest) =>
      newest < 3 ? from(0, newest) : newest === 3 ? [0, 2, 3] : [newest - 4, newest - 2, newest],
  },
  {
    name: 'the best two of four',
    create(engine) {
      let measured = 0;
      const score = async () => losses[measured++]!;
      return WindowMean.create(engine, pool(4, { window: 2, select: 'best', score }));
    },
    members: (newest) => [[0], [0, 1], [0, 1], [1, 3], [1, 3], [3, 5], [3, 6], [5, 6], [5, 6]][newest]!,
  },
  {
    name: 'running mean',
    create: (engine) => RunningMean.create(engine),
    members: (newest) => from(0, newest),
  },
];

for (const { name, create, members, tolerance } of kinds) {
  describe(name, () => {
    test('is the mean of the chosen students, of all while they are fewer', async () => {
      const engine = new TinyEngine();
      const average = await create(engine);
      const students: number[][] = [];
      for (let i = 0; i < losses.length; i++) {
        students.push(await become(engine, i));
        await take(engine, average);
        assert.equal(average.count, i + 1);
        const expected = meanOf(members(i).map((index) => students[index]!));
        await assertIs(average.mean, expected, `after ${i + 1} students`, tolerance);
      }
    });
  });
}

const ensembles: [string, (engine: TinyEngine) => Promise<Ensemble>][] = [
  ...kinds.filter(({ name }) => !name.includes('best')).map(({ name, create }) => [name, create] as never),
  ['moving average', (engine) => MovingAverage.create(engine, 0.4)],
  ['pool of 3', async (engine) => new Pool(engine, pool(3))],
  ['endless pool', async (engine) => new Pool(engine, pool(Number.POSITIVE_INFINITY))],
];

for (const [name, create] of ensembles) {
  describe(name, () => {
    test('goes on bit for bit from what it stored', async () => {
      const engine = new TinyEngine();
      const whole = await create(engine);
      let restored: Ensemble | undefined;
      const all = async (ensemble: Ensemble) => {
        const sets: number[][] = [];
        for (const { weights } of ensemble.sets()) sets.push(await flatten(weights.read()));
        return sets;
      };
      for (let i = 0; i < 9; i++) {
        await become(engine, i);
        await take(engine, whole);
        if (restored) await take(engine, restored);
        if (i !== 1 && i !== 4) continue;
        const stored = new Map(whole.sets().map((set) => [set.name, set.weights]));
        restored = await create(engine);
        const state = JSON.parse(JSON.stringify(whole.state()));
        await restored.restore(state, (set, into) => into.copyFrom(stored.get(set)!));
        assert.deepEqual(await all(restored), await all(whole));
      }
      assert.deepEqual(await all(restored!), await all(whole));
      assert.equal(restored!.count, 9);
    });

    test('releases all it made', async () => {
      const engine = new TinyEngine();
      const ensemble = await create(engine);
      for (let i = 0; i < 5; i++) await take(engine, ensemble);
      await ensemble.next(); // the update it was for failed
      assert.ok(engine.log.liveSets > 0);
      ensemble.release();
      assert.equal(engine.log.liveSets, 0);
    });
  });
}

test('a student whose update failed is not taken', async () => {
  const engine = new TinyEngine();
  const average = await WindowMean.create(engine, pool(2));
  const first = await become(engine, 0);
  await take(engine, average);
  await become(engine, 1);
  await average.next();
  const third = await become(engine, 2);
  await take(engine, average);
  assert.equal(average.count, 2);
  await assertIs(average.mean, meanOf([first, third]), 'of the first and the third');
});

test('a window mean does not drift: it forgets a student entirely', async () => {
  const engine = new TinyEngine();
  const average = await WindowMean.create(engine, pool(2));
  const huge = engine.parameters.map(({ name, size }) => ({ name, data: new Float32Array(size).fill(1e30) }));
  await engine.student.write(
    (async function* () {
      yield* huge;
    })(),
  );
  await take(engine, average);
  const last: number[][] = [];
  for (let i = 0; i < 2; i++) {
    last.push(await become(engine, i));
    await take(engine, average);
  }
  await assertIs(average.mean, meanOf(last), 'of the last two');
});

test('a moving average starts at its first student and follows the rising decay', async () => {
  const engine = new TinyEngine();
  const average = await MovingAverage.create(engine, 0.3);
  let expected = await become(engine, 0);
  await take(engine, average);
  await assertIs(average.mean, expected, 'of the first');
  for (let u = 1; u <= 6; u++) {
    const theta = await become(engine, u);
    await take(engine, average);
    const decay = [0, 2 / 11, 3 / 12, 0.3, 0.3, 0.3, 0.3][u]!;
    expected = expected.map((old, i) => decay * old + (1 - decay) * theta[i]!);
    await assertIs(average.mean, expected, `after ${u} more`);
  }
});
