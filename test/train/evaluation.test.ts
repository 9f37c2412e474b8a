import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SesdError } from '../../src/errors.ts';
import { evaluate, inferAll } from '../../src/train/evaluate.ts';
import type { SplitSummary } from '../../src/train/events.ts';
import type { MetricName } from '../../src/train/metric.ts';
import { flatten, TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFit, tinyProblem } from './tiny-run.ts';

const dev = tinyExamples(12, 2);
const test2 = tinyExamples(10, 4);

describe('evaluation', () => {
  test('measures student and teacher on dev each epoch, and the restored weights on every split', async () => {
    const { evals, summary, steps } = await tinyFit({ dev, test: test2, options: { epochs: 3 } });
    assert.equal(steps.length, 15);
    assert.deepEqual(
      evals.map(({ step, split, model, final }) => [final ? 'final' : step, split, model]),
      [
        ...[5, 10, 15].flatMap((step) => [
          [step, 'dev', 'student'],
          [step, 'dev', 'teacher'],
        ]),
        ...['train', 'dev', 'test'].map((split) => ['final', split, summary.best.model]),
      ],
    );
    assert.deepEqual([summary.train?.examples, summary.dev?.examples, summary.test?.examples], [18, 12, 10]);
  });

  test('comes every N updates where asked, and at the end', async () => {
    const { evals } = await tinyFit({ dev, options: { strategy: 'finetune', evalEvery: 4 } });
    assert.deepEqual(
      evals.filter(({ final }) => !final).map(({ step }) => step),
      [4, 8, 10],
    );
  });

  test('gives logits in the order of the examples', async () => {
    const engine = new TinyEngine();
    const all = await inferAll(engine, engine.student, dev, { padId: 0 });
    for (const [i, example] of dev.entries()) {
      const one = await inferAll(engine, engine.student, [example], { padId: 0 });
      assert.deepEqual([...all.subarray(3 * i, 3 * i + 3)], [...one]);
    }
  });
});

describe('the best weights', () => {
  for (const [metric, score] of [
    ['accuracy', ({ accuracy }) => accuracy!],
    ['macro-f1', ({ macroF1 }) => macroF1!],
    ['mcc', ({ mcc }) => mcc!],
    ['ece', ({ ece }) => -ece!],
    ['loss', ({ loss }) => -loss],
  ] satisfies [MetricName, (scores: SplitSummary) => number][]) {
    test(`by ${metric} are restored`, async () => {
      // A rate this high overshoots, so that the last weights are not the best.
      const options = {
        metric,
        strategy: 'sda',
        lr: 2,
        headLr: 2,
        epochs: 5,
        warmup: 0,
        evalEvery: 1,
        maxGradNorm: 9,
      } as const;
      const { evals, summary, engine, events } = await tinyFit({ dev, options });
      const candidates = evals.filter(({ final }) => !final);
      const best = candidates.reduce((a, b) =>
        score(b) > score(a) || (score(b) === score(a) && b.loss < a.loss) ? b : a,
      );
      assert.deepEqual([summary.best.step, summary.best.model], [best.step, best.model]);
      assert.ok(best.step < 25, 'the case is one where it matters');
      const restored = await evaluate(engine, engine.student, dev, { problem: tinyProblem, padId: 0 });
      assert.deepEqual([restored.loss, restored.accuracy], [best.loss, best.accuracy]);
      const last = events.filter((event) => event.type === 'best').at(-1)!;
      assert.deepEqual([last.step, last.model], [best.step, best.model]);
    });
  }

  test('are chosen among the weights to export alone', async () => {
    for (const wanted of ['student', 'teacher'] as const) {
      const { summary } = await tinyFit({ dev, options: { export: wanted, epochs: 4 } });
      assert.equal(summary.best.model, wanted);
    }
    await assert.rejects(tinyFit({ options: { export: 'teacher', strategy: 'finetune' } }), (error) => {
      assert.ok(error instanceof SesdError && error.code === 'SESD_USAGE');
      assert.match(error.message, /--export teacher: finetune has no teacher or other average/);
      return true;
    });
  });

  test('without dev are the last: the student, or the teacher', async () => {
    const student = await tinyFit({ options: { window: 1, epochs: 1 } });
    assert.deepEqual(student.summary.best, { step: 5, model: 'student' });
    const teacher = await tinyFit({ options: { window: 1, epochs: 1, export: 'teacher' } });
    // The pool of step 6 ends with θ_4.
    const shorter = await tinyFit({
      options: { window: 1, maxSteps: 5, epochs: 1 },
      engine: new StopAfter(4),
    });
    assert.deepEqual(teacher.weights, shorter.weights);
    assert.notDeepEqual(teacher.weights, student.weights);
  });
});

/** Ignores updates after a number of them, which leaves the student as it was then. */
class StopAfter extends TinyEngine {
  readonly #updates: number;

  constructor(updates: number) {
    super();
    this.#updates = updates;
  }

  override async update(options: Parameters<TinyEngine['update']>[0]) {
    return options.step > this.#updates ? { gradNorm: 0 } : super.update(options);
  }
}

describe('early stopping', () => {
  test('ends the run after so many evaluations without a better one', async () => {
    const options = {
      epochs: 40,
      patience: 2,
      evalEvery: 1,
      metric: 'loss',
      lr: 1,
      headLr: 1,
      warmup: 0,
    } as const;
    const { summary, events, evals } = await tinyFit({ dev, options });
    assert.ok(summary.steps < 200);
    assert.equal(summary.steps, summary.best.step + 2);
    assert.deepEqual(
      events.filter(({ type }) => type === 'early-stop'),
      [{ type: 'early-stop', step: summary.steps }],
    );
    assert.equal(evals.filter(({ final }) => !final).at(-1)!.step, summary.steps);
  });

  test('leaves the schedule as planned', async () => {
    const stopped = await tinyFit({
      dev,
      options: { epochs: 40, patience: 1, evalEvery: 1, lr: 1, headLr: 1 },
    });
    const full = await tinyFit({ dev, options: { epochs: 40, evalEvery: 'epoch', lr: 1, headLr: 1 } });
    assert.deepEqual(
      stopped.steps.map(({ lr }) => lr),
      full.steps.slice(0, stopped.steps.length).map(({ lr }) => lr),
    );
    assert.equal((await flatten(stopped.engine.student.read())).length, 59);
  });
});
