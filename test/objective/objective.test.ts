import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { crossEntropy } from '../../src/objective/cross-entropy.ts';
import { distances } from '../../src/objective/distance.ts';
import { distillationObjective } from '../../src/objective/distillation.ts';
import type { Objective, ObjectiveInput } from '../../src/objective/objective.ts';

/** Inputs whose float32 logits can be nudged exactly: multiples of 1/64. */
const inputs = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), classes: fc.integer({ min: 2, max: 6 }) })
  .chain(({ rows, classes }) => {
    const logits = fc
      .array(fc.integer({ min: -512, max: 512 }), { minLength: rows * classes, maxLength: rows * classes })
      .map((values) => Float32Array.from(values, (value) => value / 64));
    const labels = fc
      .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: rows, maxLength: rows })
      .map((values) => Int32Array.from(values));
    return fc.record({
      logits,
      teacherLogits: logits,
      labels,
      rows: fc.constant(rows),
      classes: fc.constant(classes),
    });
  });

const anyDistance = fc.constantFrom(
  ['mse', 1] as const,
  ['kl', 1] as const,
  ['kl', 2.5] as const,
  ['symmetric-kl', 1] as const,
  ['symmetric-kl', 4] as const,
  ['cosine', 1] as const,
);

function lengthsOf({ logits, rows, classes }: ObjectiveInput): number[] {
  return Array.from({ length: rows }, (_, row) =>
    Math.hypot(...logits.subarray(row * classes, (row + 1) * classes)),
  );
}

/** Central difference of the loss with respect to logit i. */
function difference(objective: Objective, input: ObjectiveInput, i: number): number {
  const step = 2 ** -10;
  const at = (delta: number) => {
    const logits = input.logits.slice();
    logits[i]! += delta;
    return objective({ ...input, logits }).loss;
  };
  return (at(step) - at(-step)) / (2 * step);
}

describe('the distillation objective', () => {
  test('has the gradient its value has', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.constantFrom(0, 0.5, 1, 3),
        anyDistance,
        (input, lambda, [distance, temperature]) => {
          // The direction of a row turns within a step where the row is as short as that.
          fc.pre(distance !== 'cosine' || Math.min(...lengthsOf(input)) >= 1);
          const objective = distillationObjective({ lambda, distance, temperature });
          const { dlogits } = objective(input);
          for (let i = 0; i < dlogits.length; i++)
            assert.ok(Math.abs(dlogits[i]! - difference(objective, input, i)) < 1e-5);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('weighs the mean squared error over all elements by lambda', () => {
    const input = {
      logits: Float32Array.of(1, 2, 3, 4),
      teacherLogits: Float32Array.of(0, 2, 5, 4),
      labels: Int32Array.of(1, 0),
      rows: 2,
      classes: 2,
    };
    const { loss, parts } = distillationObjective({ lambda: 2, distance: 'mse', temperature: 1 })(input);
    const ce = (Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(1))) / 2;
    assert.ok(Math.abs(parts.ce! - ce) < 1e-15);
    assert.equal(parts.distill, (1 + 4) / 4);
    assert.equal(loss, parts.ce! + 2 * parts.distill);
  });

  test('without a teacher is cross-entropy, and so it is when the teacher agrees', () => {
    const input = {
      logits: Float32Array.of(0.3, -1.7, 2.2),
      labels: Int32Array.of(2),
      rows: 1,
      classes: 3,
    };
    const objective = distillationObjective({ lambda: 1, distance: 'mse', temperature: 1 });
    const plain = objective(input);
    assert.equal(plain.parts.distill, 0);
    assert.deepEqual(objective({ ...input, teacherLogits: input.logits.slice() }), plain);
  });

  test('of one batch is the mean of its halves', () => {
    fc.assert(
      fc.property(inputs, anyDistance, (input, [distance, temperature]) => {
        const { logits, teacherLogits, labels, rows, classes } = input;
        const objective = distillationObjective({ lambda: 1.5, distance, temperature });
        const whole = objective({ logits, teacherLogits, labels, rows, classes });
        const cut = Math.floor(rows / 2);
        let loss = 0;
        for (const [from, to] of [
          [0, cut],
          [cut, rows],
        ] as const) {
          if (from === to) continue;
          const part = objective({
            logits: logits.subarray(from * classes, to * classes),
            teacherLogits: teacherLogits.subarray(from * classes, to * classes),
            labels: labels.subarray(from, to),
            rows: to - from,
            classes,
          });
          const share = (to - from) / rows;
          loss += share * part.loss;
          part.dlogits.forEach((d, i) => {
            assert.ok(Math.abs(share * d - whole.dlogits[from * classes + i]!) < 1e-12);
          });
        }
        assert.ok(Math.abs(loss - whole.loss) < 1e-12 * Math.max(1, whole.loss));
      }),
      { numRuns: 40 },
    );
  });
});

describe('cross-entropy', () => {
  test('stays exact where a plain softmax overflows or vanishes', () => {
    const dlogits = new Float64Array(2);
    assert.equal(crossEntropy()(Float32Array.of(2000, -2000), Int32Array.of(1), 2, dlogits), 4000);
    assert.deepEqual([...dlogits], [1, -1]);
    const small = crossEntropy()(Float32Array.of(0, -40), Int32Array.of(0), 2, new Float64Array(2));
    assert.equal(small, 0, 'log(1 + e⁻⁴⁰) is below the last digit of 1');
  });

  test('is not a number when a logit is not', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const loss = crossEntropy()(Float32Array.of(bad, 0), Int32Array.of(0), 2, new Float64Array(2));
      assert.ok(!Number.isFinite(loss));
    }
  });
});

describe('distances between the logits of student and teacher', () => {
  const options = { classes: 2, weight: 0.5, temperature: 1 };

  test('add to the gradient they are given', () => {
    const dlogits = Float64Array.of(10, 20);
    const logits = Float32Array.of(1, 5);
    assert.equal(distances.mse(logits, Float32Array.of(3, 5), dlogits, options), 2);
    assert.deepEqual([...dlogits], [9, 20]);
  });

  test('have the values their definitions give', () => {
    // Rows of probabilities (1/4, 3/4) and (1/2, 1/2); teacher (1/2, 1/2) and (1/2, 1/2).
    const logits = Float32Array.of(0, Math.log(3), 0, 0);
    const teacher = new Float32Array(4);
    const kl = Math.log(2) - Math.log(3) / 2; // ½ log(½ / ¼) + ½ log(½ / ¾)
    const reverse = 0.75 * Math.log(3) - Math.log(2); // ¼ log(¼ / ½) + ¾ log(¾ / ½)
    const value = (name: keyof typeof distances, of: Float32Array, temperature = 1) =>
      distances[name](of, teacher, new Float64Array(4), { ...options, temperature });
    assert.ok(Math.abs(value('kl', logits) - kl / 2) < 1e-7);
    assert.ok(Math.abs(value('symmetric-kl', logits) - (kl + reverse) / 2) < 1e-7);
    const doubled = logits.map((z) => 2 * z);
    assert.ok(Math.abs(value('kl', doubled, 2) - (4 * kl) / 2) < 1e-6, 'τ² times that of z/τ');
    assert.equal(value('cosine', logits), 0, 'a teacher of length zero has no direction');
    const right = distances.cosine(
      Float32Array.of(1, 0, 2, 2),
      Float32Array.of(0, 3, 1, 1),
      new Float64Array(4),
      options,
    );
    assert.ok(Math.abs(right - 1 / 2) < 1e-12, 'a right angle and none');
  });
});
