import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError, type SesdErrorCode } from '../../src/errors.ts';
import type { StepEvent, TrainEvent } from '../../src/train/events.ts';
import { writeState } from '../../src/train/stored-checkpoint.ts';
import { flatten, TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFit, tinyFolder } from './tiny-run.ts';

function fails(code: SesdErrorCode, message: RegExp, hint?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SesdError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

const dev = tinyExamples(9, 2);
const timeless = (steps: readonly StepEvent[]) => steps.map(({ ms: _ms, ...step }) => step);
const evals = (events: readonly TrainEvent[]) =>
  events.filter(({ type }) => type === 'eval' || type === 'best');
const checkpoints = (folder: string) => readdirSync(join(folder, 'checkpoints')).sort();

describe('a resumed run equals the uninterrupted one bit for bit', () => {
  const cases: [string, TrainOptionsInput][] = [
    ['finetune', { strategy: 'finetune' }],
    ['sda, K = 1', { window: 1 }],
    ['sda, K = 3', { window: 3, batchSize: 2, accumulate: 2 }],
    ['sda, all', { window: 'all', export: 'teacher' }],
    ['sda, K = 3 with the student in the pool', { window: 3, poolIncludesStudent: true }],
    ['sda, the best 2 of 3', { window: 2, poolSize: 3, poolSelect: 'best' }],
    ['sda, every other from step 3 on, ramped', { poolEvery: 2, teacherStart: 3, lambdaRamp: 0.5 }],
    ['sda and se', { average: 'se' }],
    ['sdv', { strategy: 'sdv', window: 2 }],
    ['sdv on disk', { strategy: 'sdv', window: 2, poolStorage: 'disk' }],
    ['se', { strategy: 'se', window: 3 }],
    ['ema', { strategy: 'ema', batchSize: 2, accumulate: 2 }],
    ['r-drop', { strategy: 'r-drop', batchSize: 2, accumulate: 2, lambdaRamp: 0.5 }],
  ];
  for (const [name, options] of cases) {
    for (const stopAt of [0, 3, 7]) {
      test(`${name}, interrupted in step ${stopAt + 1}`, async () => {
        const shared = { dev, options: { epochs: 3, dropout: 0.25, evalEvery: 2, ...options } } as const;
        const whole = await tinyFit(shared);

        const folder = tinyFolder();
        const controller = new AbortController();
        const engine = new TinyEngine({ dropout: 0.25 });
        engine.onForward = (updates) => {
          if (updates === stopAt) controller.abort();
        };
        const before: TrainEvent[] = [];
        await assert.rejects(
          tinyFit({
            ...shared,
            folder,
            engine,
            signal: controller.signal,
            onEvent: (event) => before.push(event),
          }),
          fails(
            'SESD_ABORTED',
            new RegExp(`Interrupted after step ${stopAt} of 15`),
            /sesd-train --resume .*sesd-train-/,
          ),
        );
        assert.equal(checkpoints(folder).at(-1), `step-${stopAt}`);

        const resumed = await tinyFit({ ...shared, folder, resume: true });
        assert.deepEqual(resumed.weights, whole.weights);
        assert.deepEqual(timeless(resumed.steps), timeless(whole.steps.slice(stopAt)));
        assert.deepEqual([...evals(before), ...evals(resumed.events)], evals(whole.events));
        const { seconds: _a, ...summary } = resumed.summary;
        const { seconds: _b, ...expected } = whole.summary;
        assert.deepEqual(summary, expected);
      });
    }
  }

  test('also when it was interrupted while evaluating', async () => {
    const shared = { dev, options: { window: 1 } } as const;
    const whole = await tinyFit(shared);
    const folder = tinyFolder();
    const controller = new AbortController();
    const engine = new TinyEngine();
    let seen = 0;
    engine.onInfer = (updates) => {
      if (updates === 5 && ++seen === 2) controller.abort(); // the teacher's turn, after the student's
    };
    await assert.rejects(
      tinyFit({ ...shared, folder, engine, signal: controller.signal }),
      fails('SESD_ABORTED', /after step 5 of 10/),
    );
    const resumed = await tinyFit({ ...shared, folder, resume: true });
    assert.deepEqual(resumed.weights, whole.weights);
    assert.deepEqual(evals(resumed.events), evals(whole.events));
  });

  test('also in its patience', async () => {
    const rates = { lr: 1, headLr: 1, warmup: 0 };
    const shared = {
      dev,
      options: { epochs: 40, patience: 2, evalEvery: 1, metric: 'loss', ...rates },
    } as const;
    const whole = await tinyFit(shared);
    const folder = tinyFolder();
    const controller = new AbortController();
    const engine = new TinyEngine();
    engine.onForward = (updates) => {
      if (updates === whole.summary.steps - 1) controller.abort(); // one evaluation brought nothing so far
    };
    await assert.rejects(tinyFit({ ...shared, folder, engine, signal: controller.signal }));
    const resumed = await tinyFit({ ...shared, folder, resume: true });
    assert.deepEqual([resumed.steps.length, resumed.summary.steps], [1, whole.summary.steps]);
  });

  test('and its seconds are those of all processes', async () => {
    const folder = tinyFolder();
    const controller = new AbortController();
    const engine = new TinyEngine();
    engine.onForward = (updates) => {
      if (updates === 3) controller.abort();
    };
    await assert.rejects(
      tinyFit({ folder, engine, signal: controller.signal }),
      fails('SESD_ABORTED', /step 3/),
    );
    const checkpoint = join(folder, 'checkpoints', 'step-3');
    const { progress, files } = JSON.parse(readFileSync(join(checkpoint, 'state.json'), 'utf8'));
    await writeState(checkpoint, { ...progress, seconds: progress.seconds + 1000 }, files);
    const { summary } = await tinyFit({ folder, resume: true });
    assert.ok(summary.seconds >= 1000 && summary.seconds < 1100, `${summary.seconds}`);
  });

  test('and a finished one is finished again', async () => {
    const whole = await tinyFit({ dev });
    const again = await tinyFit({ dev, folder: whole.folder, resume: true });
    assert.deepEqual([again.steps.length, again.weights], [0, whole.weights]);
  });
});

describe('numbers that are not finite', () => {
  for (const [what, message] of [
    ['loss', /^Step 4: the loss is NaN\.$/],
    ['gradient', /^Step 4: the gradient norm is (NaN|Infinity)\.$/],
  ] as const) {
    test(`stop the run at the step, a ${what}`, async () => {
      const shared = { options: { window: 'all' } } as const;
      const good = await tinyFit({ options: { window: 'all', saveEvery: 3, keep: 9 } });
      const engine = new TinyEngine();
      const folder = tinyFolder();
      await assert.rejects(
        tinyFit({
          ...shared,
          folder,
          engine,
          objective: ({ logits, rows, classes: c }) => ({
            loss: what === 'loss' && engine.log.forwardRows.length === 4 ? Number.NaN : 1,
            parts: {},
            dlogits: new Float64Array(rows * c).fill(
              engine.log.forwardRows.length === 4 ? 1e300 : logits[0]!,
            ),
          }),
        }),
        fails('SESD_NUMERICS', message, /before this step are in .*step-3/),
      );
      assert.deepEqual(checkpoints(folder), ['step-3']);
      assert.deepEqual(
        readdirSync(join(folder, 'checkpoints/step-3')).sort(),
        readdirSync(join(good.folder, 'checkpoints/step-3')).sort(),
      );
      assert.ok((await flatten(engine.student.read())).every(Number.isFinite));
    });
  }
});
