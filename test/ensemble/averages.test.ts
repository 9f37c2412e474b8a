import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Weights } from '../../src/engine/engine.ts';
import { RunningMean } from '../../src/ensemble/running-mean.ts';
import type { WeightAverage } from '../../src/ensemble/weight-average.ts';
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

function meanOf(students: readonly number[][]): number[] {
  return students[0]!.map((_, i) => students.reduce((sum, theta) => sum + theta[i]!, 0) / students.length);
}

const kinds: [string, number, (engine: TinyEngine) => Promise<WeightAverage>][] = [
  ['window of 1', 1, (engine) => WindowMean.create(engine, 1)],
  ['window of 3', 3, (engine) => WindowMean.create(engine, 3)],
  ['running mean', Infinity, (engine) => RunningMean.create(engine)],
];

for (const [name, window, create] of kinds) {
  describe(name, () => {
    test('is the mean of the newest students, of all while they are fewer', async () => {
      const engine = new TinyEngine();
      const average = await create(engine);
      const students: number[][] = [];
      for (let i = 0; i < 8; i++) {
        students.push(await become(engine, i));
        await average.push(engine.student);
        assert.equal(average.count, i + 1);
        const expected = meanOf(students.slice(-Math.min(window, i + 1)));
        const found = await flatten(average.mean.read());
        found.forEach((value, j) => {
          assert.ok(Math.abs(value - expected[j]!) < 1e-6, `weight ${j} after ${i + 1} students`);
        });
      }
    });

    test('goes on bit for bit from what it stored', async () => {
      const engine = new TinyEngine();
      const average = await create(engine);
      let restored: WeightAverage | undefined;
      for (let i = 0; i < 9; i++) {
        await become(engine, i);
        await average.push(engine.student);
        await restored?.push(engine.student);
        if (i !== 1 && i !== 4) continue;
        const stored = new Map<string, Weights>(
          average.sets().map(({ name: set, weights }) => [set, weights]),
        );
        restored = await create(engine);
        await restored.restore(average.count, (set, into) => into.copyFrom(stored.get(set)!));
        assert.deepEqual(await flatten(restored.mean.read()), await flatten(average.mean.read()));
      }
      assert.deepEqual(await flatten(restored!.mean.read()), await flatten(average.mean.read()));
      assert.equal(restored!.count, 9);
    });

    test('releases all it made', async () => {
      const engine = new TinyEngine();
      const average = await create(engine);
      for (let i = 0; i < 5; i++) await average.push(engine.student);
      assert.ok(engine.log.liveSets > 0);
      average.release();
      assert.equal(engine.log.liveSets, 0);
    });
  });
}

test('a window mean does not drift: it forgets a student entirely', async () => {
  const engine = new TinyEngine();
  const average = await WindowMean.create(engine, 2);
  const huge = engine.parameters.map(({ name, size }) => ({ name, data: new Float32Array(size).fill(1e30) }));
  await engine.student.write(
    (async function* () {
      yield* huge;
    })(),
  );
  await average.push(engine.student);
  const last: number[][] = [];
  for (let i = 0; i < 2; i++) {
    last.push(await become(engine, i));
    await average.push(engine.student);
  }
  const expected = meanOf(last);
  (await flatten(average.mean.read())).forEach((value, j) => {
    assert.ok(Math.abs(value - expected[j]!) < 1e-6);
  });
});
