import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import { type TrainOptionsInput, trainFields } from '../../src/config/train-options.ts';
import { collate } from '../../src/data/batching.ts';
import { SesdError } from '../../src/errors.ts';
import { createStrategy } from '../../src/strategy/index.ts';
import { heldSets, rowsPerExample } from '../../src/strategy/memory.ts';
import type { StrategyContext } from '../../src/strategy/strategy.ts';
import { TinyEngine } from '../train/tiny-engine.ts';
import { tinyExamples } from '../train/tiny-run.ts';

const batch = collate(tinyExamples(5), { padId: 0 });
const steps = 8;

function contextOf(options: TrainOptionsInput, more: Partial<StrategyContext> = {}): StrategyContext {
  return {
    engine: new TinyEngine(),
    options: resolveTrainOptions(options),
    totalSteps: steps,
    folder: '.',
    ...more,
  };
}

/** Sets every weight of the student to a number, so that a mean shows which students it is of. */
async function become(engine: TinyEngine, value: number): Promise<void> {
  await engine.student.write(
    (async function* () {
      for (const { name, size } of engine.parameters)
        yield { name, data: new Float32Array(size).fill(value) };
    })(),
  );
}

/** Runs a strategy over θ_i whose weights are all 2^i; the average as each step begins, undefined where there is none. */
async function averages(
  options: TrainOptionsInput,
): Promise<{ atStep: (number | undefined)[]; atEnd?: number }> {
  const context = contextOf(options);
  const engine = context.engine as TinyEngine;
  await become(engine, 1);
  const strategy = await createStrategy(context);
  const weight = async () => {
    const { average } = strategy;
    if (!average) return undefined;
    for await (const { data } of average.weights.read()) return data[0];
    return undefined;
  };
  const atStep: (number | undefined)[] = [];
  for (let step = 1; step <= steps; step++) {
    await strategy.begin(step);
    atStep.push(await weight());
    const { before, after } = await strategy.averages(step);
    await engine.average(engine.student, before);
    await become(engine, 2 ** step);
    await engine.average(engine.student, after);
    strategy.updated();
  }
  const atEnd = await weight();
  return { atStep, ...(atEnd !== undefined && { atEnd }) };
}

const mean = (...indices: number[]) =>
  Math.fround(indices.reduce((sum, i) => sum + 2 ** i, 0) / indices.length);

describe('the teacher of sda at steps 1 to 8', () => {
  const cases: [string, TrainOptionsInput, (number | undefined)[], number][] = [
    [
      'K = 1 is θ_{t−2}, and θ_0 at the start',
      { window: 1 },
      [0, 0, 1, 2, 3, 4, 5, 6].map((i) => mean(i)),
      mean(7),
    ],
    [
      'K = 3 is of the newest three of θ_0..θ_{t−2}',
      { window: 3 },
      [[0], [0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]].map((of) => mean(...of)),
      mean(5, 6, 7),
    ],
    [
      'all is of every one of them',
      { window: 'all' },
      [[0], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]]
        .map((of) => mean(...of))
        .concat(mean(0, 1, 2, 3, 4, 5), mean(0, 1, 2, 3, 4, 5, 6)),
      mean(0, 1, 2, 3, 4, 5, 6, 7),
    ],
    [
      'with the student in the pool is of θ_{t−1} too',
      { window: 3, poolIncludesStudent: true },
      [[0], [0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]].map((of) =>
        mean(...of),
      ),
      mean(6, 7, 8),
    ],
    [
      'that starts at step 4 is of θ_3 on',
      { window: 2, teacherStart: 4 },
      [undefined, undefined, undefined, mean(3), mean(3), mean(3, 4), mean(4, 5), mean(5, 6)],
      mean(6, 7),
    ],
    [
      'that starts after half of the run is of θ_4 on',
      { window: 'all', teacherStart: 0.5 },
      [undefined, undefined, undefined, undefined, mean(4), mean(4), mean(4, 5), mean(4, 5, 6)],
      mean(4, 5, 6, 7),
    ],
    [
      'of every third student',
      { window: 2, poolEvery: 3 },
      [[0], [0], [0], [0], [0, 3], [0, 3], [0, 3], [3, 6]].map((of) => mean(...of)),
      mean(3, 6),
    ],
    [
      'spaced over a pool',
      { window: 2, poolSize: 4, poolSelect: 'spaced' },
      [[0], [0], [0, 1], [0, 2], [0, 3], [1, 4], [2, 5], [3, 6]].map((of) => mean(...of)),
      mean(4, 7),
    ],
  ];
  for (const [name, options, atStep, atEnd] of cases) {
    test(name, async () => {
      assert.deepEqual(await averages({ strategy: 'sda', ...options }), { atStep, atEnd });
    });
  }

  test('stored on disk or in bfloat16 is the same, powers of two being exact', async () => {
    const expected = await averages({ strategy: 'sda', window: 3 });
    for (const poolStorage of ['disk', 'bf16'] as const)
      assert.deepEqual(await averages({ strategy: 'sda', window: 3, poolStorage }), expected);
  });
});

describe('the average of se', () => {
  test('is of θ_1..θ_t', async () => {
    const { atStep, atEnd } = await averages({ strategy: 'se' });
    assert.equal(atStep[0], undefined);
    atStep.slice(1).forEach((value, i) => {
      assert.equal(value, mean(...Array.from({ length: i + 1 }, (_, j) => j + 1)));
    });
    assert.equal(atEnd, mean(1, 2, 3, 4, 5, 6, 7, 8));
  });

  test('is of the tail, of a window, of every other student', async () => {
    assert.equal((await averages({ strategy: 'se', teacherStart: 6 })).atEnd, mean(6, 7, 8));
    assert.equal((await averages({ strategy: 'se', window: 2 })).atEnd, mean(7, 8));
    assert.equal((await averages({ strategy: 'se', window: 3, poolEvery: 2 })).atEnd, mean(4, 6, 8));
  });

  test('can be had for the student of another strategy', async () => {
    for (const strategy of ['finetune', 'sda', 'sdv', 'ema'] as const)
      assert.equal(
        (await averages({ strategy, average: 'se', window: 2 })).atEnd,
        mean(1, 2, 3, 4, 5, 6, 7, 8),
      );
    assert.equal((await averages({ strategy: 'sda', average: 'none' })).atEnd, undefined);
    assert.equal((await averages({ strategy: 'sdv' })).atEnd, undefined);
  });
});

describe('teaching', () => {
  test('needs no inference where there is no teacher, or where the student would teach itself', async () => {
    const context = contextOf({ strategy: 'finetune' });
    const engine = context.engine as TinyEngine;
    assert.equal(await (await createStrategy(context)).teach(1, batch), undefined);
    const itself = { strategy: 'sda', window: 1, poolIncludesStudent: true } as const;
    const self = await createStrategy(contextOf({ ...itself, dropout: 0 }, { engine }));
    assert.equal(await self.teach(1, batch), 'student');
    assert.equal(engine.log.infers, 0);
    const dropping = await createStrategy(contextOf(itself, { engine }));
    assert.deepEqual(await dropping.teach(1, batch), (await engine.infer(engine.student, batch)).data);
  });

  test('of sdv is the mean of the votes, one inference for each', async () => {
    const context = contextOf({ strategy: 'sdv', window: 2 });
    const engine = context.engine as TinyEngine;
    const strategy = await createStrategy(context);
    const votes: Float32Array[] = [];
    for (let step = 1; step <= 4; step++) {
      await strategy.begin(step);
      await become(engine, step);
      votes.push((await engine.infer(engine.student, batch)).data);
      const { before } = await strategy.averages(step);
      await engine.average(engine.student, before);
      strategy.updated();
    }
    const { infers } = engine.log;
    const taught = (await strategy.teach(5, batch)) as Float32Array;
    assert.equal(engine.log.infers, infers + 2);
    taught.forEach((value, i) => {
      assert.ok(Math.abs(value - (votes[2]![i]! + votes[3]![i]!) / 2) < 1e-6);
    });
  });

  test('starts when it is told to', async () => {
    const strategy = await createStrategy(contextOf({ strategy: 'ema', teacherStart: 3 }));
    for (const step of [1, 2, 3]) {
      await strategy.begin(step);
      assert.equal((await strategy.teach(step, batch)) !== undefined, step === 3);
    }
  });

  test('counts for more and more over the ramp', async () => {
    const strategy = await createStrategy(
      contextOf({ strategy: 'sda', lambda: 4, lambdaRamp: 0.5, teacherStart: 3 }),
    );
    const input = {
      logits: Float32Array.of(1, 0, 0),
      teacherLogits: new Float32Array(3),
      labels: Int32Array.of(0),
      rows: 1,
      classes: 3,
    };
    const shares = [3, 4, 5, 6, 7, 8].map((step) => {
      const { loss, parts } = strategy.objective(step)(input);
      return (loss - parts.ce!) / parts.distill!;
    });
    shares.forEach((share, i) => {
      assert.ok(Math.abs(share - [1, 2, 3, 4, 4, 4][i]!) < 1e-12, `${shares}`);
    });
  });
});

describe('the sets of weights a strategy says it will hold', () => {
  const cases: TrainOptionsInput[] = [
    { strategy: 'finetune' },
    { strategy: 'sda' },
    { strategy: 'sda', window: 1 },
    { strategy: 'sda', window: 3 },
    { strategy: 'sda', window: 3, poolStorage: 'bf16' },
    { strategy: 'sda', window: 3, poolSize: 5, poolSelect: 'spaced', poolStorage: 'disk' },
    { strategy: 'sda', window: 100, poolEvery: 2 },
    { strategy: 'sda', average: 'se' },
    { strategy: 'sdv', window: 2 },
    { strategy: 'sdv', window: 'all' },
    { strategy: 'se' },
    { strategy: 'se', window: 2 },
    { strategy: 'ema' },
    { strategy: 'r-drop' },
    { strategy: 'r-drop', average: 'se' },
  ];
  for (const options of cases) {
    test(`are those it holds: ${JSON.stringify(options)}`, async () => {
      const context = contextOf(options);
      const engine = context.engine as TinyEngine;
      const strategy = await createStrategy(context);
      for (let step = 1; step <= steps; step++) {
        await strategy.begin(step);
        await strategy.averages(step);
        strategy.updated();
      }
      const { memory, bf16, disk } = heldSets(context);
      assert.equal(engine.log.liveSets, memory + bf16 + disk);
      strategy.release();
      assert.equal(engine.log.liveSets, 0);
    });
  }
});

describe('options that cannot be', () => {
  const refused = (options: TrainOptionsInput, message: RegExp) =>
    assert.rejects(
      async () => createStrategy(contextOf(options)),
      (error: SesdError) => {
        assert.ok(error instanceof SesdError, String(error));
        assert.equal(error.code, 'SESD_USAGE');
        assert.match(error.message, message);
        assert.ok(error.hint);
        return true;
      },
    );

  test('are refused, with the flag and the way out', async () => {
    await refused({ teacherStart: 9 }, /--teacher-start 9: the run has 8 updates/);
    await refused({ poolSize: 2, window: 3 }, /--pool-size 2 is less than the 3 students of --window/);
    await refused({ poolSelect: 'spaced', window: 3 }, /--pool-select spaced chooses among more students/);
    await refused({ poolSelect: 'best', window: 2, poolSize: 4 }, /chooses students by their loss on dev/);
    await refused(
      { poolSelect: 'best', window: 2, poolSize: 4, poolIncludesStudent: true },
      /exclude each other: a student is measured before/,
    );
    await refused({ strategy: 'sdv', average: 'teacher' }, /sdv has no teacher of averaged weights/);
    await refused({ temperature: 2 }, /--temperature 2: mse has none/);
  });

  test('of r-drop are refused where there is nothing to compare, or no one to teach', async () => {
    const strategy = 'r-drop';
    await refused({ strategy, dropout: 0 }, /--dropout 0: the two passes .* differ by nothing but dropout/);
    await refused({ strategy, distance: 'kl' }, /--distance kl: r-drop has no teacher/);
    await refused({ strategy, window: 3 }, /--window 3: r-drop learns from no past students/);
    await refused({ strategy, poolSize: 3 }, /--pool-size 3: r-drop learns from no past/);
    await refused({ strategy, poolIncludesStudent: true }, /--pool-includes-student: r-drop learns from no/);
    await refused({ strategy, average: 'teacher' }, /r-drop has no teacher of averaged weights/);
    await refused(
      { strategy, backend: 'ort-training', wholeStep: true },
      /--whole-step takes --strategy finetune, se, sda, ema, not r-drop/,
    );
    const regression = { strategy, problemType: 'regression' } as const;
    await refused({ ...regression, distance: 'symmetric-kl' }, /one number has no distribution/);
    assert.equal(resolveTrainOptions({ strategy }).distance, 'symmetric-kl');
    assert.equal(resolveTrainOptions({ strategy, distance: 'cosine' }).distance, 'cosine');
    assert.equal(resolveTrainOptions(regression).distance, 'mse');
  });
});

test('every strategy the flag names can be created, and sees examples as often as it says', async () => {
  const { choices } = trainFields.find(({ name }) => name === 'strategy')!;
  for (const strategy of choices!) {
    const context = contextOf({ strategy: strategy as 'sda' });
    assert.equal((await createStrategy(context)).draws(steps), rowsPerExample(context.options));
  }
});
