import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import type { EncodedExample } from '../../src/data/example.ts';
import type { StepEvent } from '../../src/train/events.ts';
import { referenceRun } from './reference.ts';
import { flatten, TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFit } from './tiny-run.ts';

function close(actual: number, expected: number, what: string, tolerance = 1e-4) {
  const error = Math.abs(actual - expected) / Math.max(1e-3, Math.abs(expected));
  assert.ok(error < tolerance, `${what}: ${actual}, expected ${expected}`);
}

/** The updates' examples in the file's order. */
function inFileOrder(examples: readonly EncodedExample[], perStep: number, epochs: number) {
  const epoch: EncodedExample[][] = [];
  for (let i = 0; i < examples.length; i += perStep) epoch.push(examples.slice(i, i + perStep));
  return Array.from({ length: epochs }, () => epoch).flat();
}

const rates = { lr: 0.02, headLr: 0.05, weightDecay: 0.1, maxGradNorm: 0.3, warmup: 0.2 };
const weightsOf = (steps: readonly StepEvent[]) =>
  steps.map(({ loss, ce, distill, gradNorm, lr }) => ({ loss, ce, distill, gradNorm, lr }));

describe('a trajectory equals the formulas', () => {
  const cases: { name: string; options: TrainOptionsInput; reference: object }[] = [
    { name: 'finetune', options: { strategy: 'finetune' }, reference: {} },
    { name: 'sda, K = 1', options: { window: 1 }, reference: { window: 1 } },
    { name: 'sda, K = 3', options: { window: 3, lambda: 1.5 }, reference: { window: 3, lambda: 1.5 } },
    { name: 'sda, all', options: { window: 'all' }, reference: { window: 'all' } },
    {
      name: 'sda, K = 3 with the student in the pool',
      options: { window: 3, poolIncludesStudent: true },
      reference: { window: 3, includeStudent: true },
    },
    {
      name: 'sda, all with the student in the pool',
      options: { window: 'all', poolIncludesStudent: true },
      reference: { window: 'all', includeStudent: true },
    },
    {
      name: 'with accumulation',
      options: { window: 3, batchSize: 2, accumulate: 3 },
      reference: { window: 3 },
    },
  ];
  for (const { name, options, reference } of cases) {
    test(name, async () => {
      const train = tinyExamples(20); // 4 updates an epoch, the last of 2 examples
      const theta0 = await flatten(new TinyEngine().student.read());
      const expected = referenceRun({ steps: inFileOrder(train, 6, 3), theta0, ...rates, ...reference });
      const run = await tinyFit({
        train,
        options: { batchSize: 6, epochs: 3, shuffle: false, ...rates, ...options },
      });

      assert.equal(run.steps.length, 12);
      expected.steps.forEach((step, i) => {
        for (const key of ['loss', 'ce', 'distill', 'gradNorm', 'lr'] as const)
          close(run.steps[i]![key], step[key], `${key} of step ${i + 1}`);
      });
      const last = expected.weights.at(-1)!;
      run.weights.forEach((weight, i) => {
        close(weight, last[i]!, `weight ${i}`, 1e-3);
      });
      if (options.strategy !== 'finetune') assert.ok(run.steps.at(-1)!.distill > 0);
    });
  }
});

describe('the pool', () => {
  const sda = { strategy: 'sda', shuffle: true, epochs: 4 } as const;

  test('holds θ_0 alone in the first two steps', async () => {
    const { steps } = await tinyFit({ options: { ...sda, window: 1, warmup: 0 } });
    assert.equal(steps[0]!.distill, 0, 'the student is θ_0 itself');
    assert.ok(steps[1]!.distill > 0, 'the student is θ_1, the teacher θ_0');
  });

  test('with the student in it, K = 1 and no dropout trains as finetune does, bit for bit', async () => {
    const plain = await tinyFit({ options: { ...sda, strategy: 'finetune' } });
    const self = await tinyFit({ options: { ...sda, window: 1, poolIncludesStudent: true } });
    assert.deepEqual(weightsOf(self.steps), weightsOf(plain.steps));
    assert.deepEqual(self.weights, plain.weights);
    const apart = await tinyFit({ options: { ...sda, window: 1 } });
    assert.notDeepEqual(apart.weights, plain.weights);
  });

  test('with dropout that teacher differs from the student', async () => {
    const { steps } = await tinyFit({
      options: { ...sda, window: 1, poolIncludesStudent: true, dropout: 0.4 },
    });
    assert.ok(steps.every(({ distill }) => distill > 0));
  });

  test('holds one set of weights for K = 1, three for K = 3, a mean and its residual for all', async () => {
    for (const [window, sets] of [
      [1, 1],
      ['all', 2],
      [3, 3],
    ] as const) {
      const engine = new TinyEngine();
      let most = 0;
      engine.onForward = () => {
        most = Math.max(most, engine.log.liveSets);
      };
      await tinyFit({ engine, options: { ...sda, window } });
      assert.equal(most, sets);
      assert.equal(engine.log.liveSets, 0, 'all are released');
    }
  });
});

describe('micro-batches', () => {
  test('weigh the same as one large batch', async () => {
    const train = tinyExamples(22);
    const shared = { epochs: 3, window: 'all', lambda: 2 } as const;
    const whole = await tinyFit({ train, options: { ...shared, batchSize: 8 } });
    const parts = await tinyFit({ train, options: { ...shared, batchSize: 2, accumulate: 4 } });
    assert.equal(whole.steps.length, 9);
    assert.deepEqual(
      parts.steps.map(({ examples, tokens }) => [examples, tokens]),
      whole.steps.map(({ examples, tokens }) => [examples, tokens]),
    );
    whole.steps.forEach((step, i) => {
      for (const key of ['loss', 'ce', 'distill', 'gradNorm'] as const)
        close(parts.steps[i]![key], step[key], `${key} of step ${i + 1}`);
    });
    whole.weights.forEach((weight, i) => {
      close(parts.weights[i]!, weight, `weight ${i}`, 1e-3);
    });
  });

  test('are cut to the rows of a model of fixed shape, whose filling does not count', async () => {
    const train = tinyExamples(13);
    const free = await tinyFit({ train, dev: train, options: { batchSize: 5 } });
    const fixed = await tinyFit({
      train,
      dev: train,
      options: { batchSize: 5 },
      fixed: { rows: 2, length: 6 },
    });
    assert.deepEqual([...new Set(fixed.engine.log.forwardRows)], [2]);
    free.steps.forEach((step, i) => {
      close(fixed.steps[i]!.loss, step.loss, `loss of step ${i + 1}`);
      close(fixed.steps[i]!.gradNorm, step.gradNorm, `gradNorm of step ${i + 1}`);
    });
    close(fixed.evals.at(-1)!.loss, free.evals.at(-1)!.loss, 'dev loss');
  });

  test('draw each its own dropout', async () => {
    const { engine } = await tinyFit({ options: { batchSize: 2, accumulate: 2, dropout: 0.2 } });
    assert.equal(new Set(engine.log.dropoutKeys).size, engine.log.dropoutKeys.length);
  });
});

describe('a run', () => {
  test('is the same again with the same seed, another with another', async () => {
    const options = { dropout: 0.3, seed: 7 };
    const [first, again, other] = [
      await tinyFit({ options }),
      await tinyFit({ options }),
      await tinyFit({ options: { ...options, seed: 8 } }),
    ];
    assert.deepEqual(again.weights, first.weights);
    assert.notDeepEqual(other.weights, first.weights);
  });

  test('takes its length from the epochs, or from the updates asked for', async () => {
    assert.equal((await tinyFit({ options: { epochs: 3 } })).steps.length, 15);
    const few = await tinyFit({ options: { maxSteps: 3 } });
    assert.equal(few.steps.length, 3);
    const many = await tinyFit({ options: { epochs: 1, maxSteps: 12 } });
    assert.deepEqual([many.steps.length, many.steps[4]!.epoch, many.steps[11]!.epoch], [12, 1, 2.4]);
  });

  test('learns by a custom objective', async () => {
    const shared = { options: { strategy: 'finetune', epochs: 6, shuffle: false } } as const;
    const plain = await tinyFit(shared);
    // Half the squared distance of the logits to the label's one-hot row, averaged over the rows.
    const custom = await tinyFit({
      ...shared,
      objective: ({ logits, labels, rows, classes }) => {
        const dlogits = Float64Array.from(
          logits,
          (z, i) => (z - (i % classes === labels[Math.floor(i / classes)] ? 1 : 0)) / rows,
        );
        const loss = dlogits.reduce((sum, d) => sum + (d * rows) ** 2 / (2 * rows), 0);
        return { loss, parts: { regression: loss }, dlogits };
      },
    });
    assert.equal(custom.steps[0]!.regression, custom.steps[0]!.loss);
    assert.notDeepEqual(custom.weights, plain.weights);
    assert.ok(custom.steps.at(-5)!.loss < custom.steps[0]!.loss, 'on the same examples, five epochs later');
  });
});
