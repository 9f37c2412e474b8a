import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError, type SesdErrorCode } from '../../src/errors.ts';
import type { StepEvent, TrainEvent } from '../../src/train/events.ts';
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
        assert.deepEqual(checkpoints(folder), [`step-${stopAt}`]);

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

  test('and a finished one is finished again', async () => {
    const whole = await tinyFit({ dev });
    const again = await tinyFit({ dev, folder: whole.folder, resume: true });
    assert.deepEqual([again.steps.length, again.weights], [0, whole.weights]);
  });
});

describe('checkpoints', () => {
  test('are written as asked for, and the newest kept', async () => {
    const epochs = await tinyFit({ options: { epochs: 3 } });
    assert.deepEqual(checkpoints(epochs.folder), ['step-15']);
    const often = await tinyFit({ options: { epochs: 3, saveEvery: 4, keep: 3 } });
    assert.deepEqual(checkpoints(often.folder), ['step-12', 'step-15', 'step-8']);
    assert.deepEqual(
      often.events.flatMap((event) => (event.type === 'checkpoint' ? event.step : [])),
      [4, 8, 12, 15],
    );
    const never = await tinyFit({ options: { saveEvery: 'never' } });
    assert.equal(existsSync(join(never.folder, 'checkpoints')), false);
  });

  test('are resumed from the newest whole one; what a crash left is not one', async () => {
    const options = { window: 3, dropout: 0.1, epochs: 3 } as const;
    const whole = await tinyFit({ options });
    const { folder } = await tinyFit({ options: { ...options, saveEvery: 2, keep: 9 } });
    // As if the process had been killed while it wrote the checkpoint after step 8.
    const list = await readdir(join(folder, 'checkpoints'));
    for (const name of list.filter((each) => Number(each.slice(5)) > 6))
      await rm(join(folder, 'checkpoints', name), { recursive: true });
    await mkdir(join(folder, 'checkpoints', '.step-8.partial'));
    writeFileSync(join(folder, 'checkpoints', '.step-8.partial', 'student.safetensors'), 'half');
    const resumed = await tinyFit({ folder, resume: true, options: { ...options, saveEvery: 2 } });
    assert.equal(resumed.steps[0]!.step, 7);
    assert.deepEqual(resumed.weights, whole.weights);
    assert.deepEqual(checkpoints(folder), ['step-15']);
  });

  test('hold safetensors that say what they hold', async () => {
    const { folder, engine } = await tinyFit({ options: { export: 'student' } });
    const bytes = readFileSync(join(folder, 'checkpoints/step-10/student.safetensors'));
    const length = Number(bytes.readBigUInt64LE(0));
    assert.equal(length % 8, 0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    const { dtype, shape, data_offsets: offsets } = header['classifier.bias'];
    assert.deepEqual([dtype, shape], ['F32', [3]]);
    const data = bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1]);
    const bias = (await flatten(engine.student.read())).slice(-3);
    assert.deepEqual(
      [0, 4, 8].map((at) => data.readFloatLE(at)),
      bias,
    );
  });

  test('that are damaged, missing or of other data are refused', async () => {
    const { folder } = await tinyFit();
    const refused = (message: RegExp, more = {}) =>
      assert.rejects(tinyFit({ folder, resume: true, ...more }), fails('SESD_CHECKPOINT', message));
    await refused(/training examples are not those/, { train: tinyExamples(17) });
    const student = join(folder, 'checkpoints/step-10/student.safetensors');
    truncateSync(student, statSync(student).size - 1);
    await refused(/student\.safetensors does not hold the 3 tensors of this model/);
    writeFileSync(join(folder, 'checkpoints/step-10/state.json'), '{"format":99}');
    await refused(/state\.json: expected format 1, found 99/);
    writeFileSync(join(folder, 'checkpoints/step-10/state.json'), '{');
    await refused(/state\.json cannot be read/);
    await refused(/holds no checkpoint/, { folder: tinyFolder() });
  });

  test('that cannot be written end the run and leave no half of one', async () => {
    const folder = tinyFolder();
    writeFileSync(join(folder, 'checkpoints'), 'a file where the folder should be');
    await assert.rejects(tinyFit({ folder }), fails('SESD_OUTPUT', /checkpoint of step 5 cannot be written/));
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
