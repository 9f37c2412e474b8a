import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { consistencyObjective } from '../../src/objective/consistency.ts';
import { crossEntropy } from '../../src/objective/cross-entropy.ts';
import { regressionLoss } from '../../src/objective/mean-squared-error.ts';
import type { ObjectiveInput } from '../../src/objective/objective.ts';

interface Case {
  classes: number;
  logits: number[];
  labels: number[];
  lambda: number;
  labelSmoothing: number;
  temperature: number;
  ce: number;
  distill: number;
  loss: number;
  dlogits: number[];
}

const cases: Case[] = readFileSync(new URL('./fixtures/consistency.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** Two draws of 1 to 4 examples, whose float32 logits can be nudged exactly: multiples of 1/64. */
const inputs = fc
  .record({ examples: fc.integer({ min: 1, max: 4 }), classes: fc.integer({ min: 2, max: 5 }) })
  .chain(({ examples, classes }) => {
    const elements = 2 * examples * classes;
    const logit = fc.integer({ min: -256, max: 256 }).map((value) => value / 64);
    const label = fc.integer({ min: 0, max: classes - 1 });
    return fc.record({
      logits: fc
        .array(logit, { minLength: elements, maxLength: elements })
        .map((values) => Float32Array.from(values)),
      labels: fc
        .array(label, { minLength: examples, maxLength: examples })
        .map((values) => [...values, ...values]),
      rows: fc.constant(2 * examples),
      classes: fc.constant(classes),
    });
  });

/** The rows of some of the examples, both draws of each. */
function examplesOf({ logits, labels, rows, classes }: ObjectiveInput, from: number, to: number) {
  const half = rows / 2;
  const indices = [0, half].flatMap((draw) =>
    Array.from({ length: to - from }, (_, example) => draw + from + example),
  );
  return {
    input: {
      logits: Float32Array.from(
        indices.flatMap((row) => [...logits.subarray(row * classes, (row + 1) * classes)]),
      ),
      labels: indices.map((row) => labels[row]!),
      rows: indices.length,
      classes,
    },
    indices,
  };
}

describe('the objective of two draws', () => {
  for (const [
    i,
    { classes, logits, labels, lambda, labelSmoothing, temperature, ...expected },
  ] of cases.entries()) {
    test(`has PyTorch's value and gradient, case ${i}`, () => {
      const labelLoss = crossEntropy({ labelSmoothing });
      const objective = consistencyObjective({ lambda, distance: 'symmetric-kl', temperature, labelLoss });
      const { loss, parts, dlogits } = objective({
        ...{ logits: Float32Array.from(logits), labels, classes },
        rows: labels.length,
      });
      for (const [name, value] of Object.entries({ loss, ...parts })) {
        const wanted = expected[name as 'loss' | 'ce' | 'distill'];
        assert.ok(Math.abs(value - wanted) < 1e-12 * wanted, `${name} ${value}, not ${wanted}`);
      }
      dlogits.forEach((d, k) => {
        assert.ok(Math.abs(d - expected.dlogits[k]!) < 1e-12, `element ${k}`);
      });
    });
  }

  test('has the gradient its value has, on both sides', () => {
    const distance = fc.constantFrom('symmetric-kl' as const, 'mse' as const, 'cosine' as const);
    fc.assert(
      fc.property(inputs, distance, fc.constantFrom(0.5, 4), (input, distance, lambda) => {
        // The direction of a row turns within a step where the row is as short as that.
        const { logits, rows, classes } = input;
        const lengths = Array.from({ length: rows }, (_, row) =>
          Math.hypot(...logits.subarray(row * classes, (row + 1) * classes)),
        );
        fc.pre(distance !== 'cosine' || Math.min(...lengths) >= 1);
        const objective = consistencyObjective({ lambda, distance, temperature: 1 });
        const { dlogits } = objective(input);
        const step = 2 ** -10;
        dlogits.forEach((d, i) => {
          const at = (delta: number) =>
            objective({ ...input, logits: input.logits.map((z, k) => (k === i ? z + delta : z)) }).loss;
          assert.ok(Math.abs(d - (at(step) - at(-step)) / (2 * step)) < 1e-5, `${distance}, element ${i}`);
        });
      }),
      { numRuns: 40, seed: 5 },
    );
  });

  test('of one batch is the mean of its parts', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const objective = consistencyObjective({ lambda: 1.5, distance: 'symmetric-kl', temperature: 1 });
        const whole = objective(input);
        const { rows, classes } = input;
        const examples = rows / 2;
        let loss = 0;
        for (let example = 0; example < examples; example++) {
          const part = examplesOf(input, example, example + 1);
          const { loss: own, dlogits } = objective(part.input);
          loss += own / examples;
          dlogits.forEach((d, i) => {
            const at = part.indices[Math.floor(i / classes)]! * classes + (i % classes);
            assert.ok(Math.abs(d / examples - whole.dlogits[at]!) < 1e-12);
          });
        }
        assert.ok(Math.abs(loss - whole.loss) < 1e-12 * Math.max(1, whole.loss));
      }),
      { numRuns: 40, seed: 6 },
    );
  });

  test('is the label loss alone where the draws agree', () => {
    const logits = Float32Array.of(0.3, -1.7, 2.2, 0.3, -1.7, 2.2);
    const input = { logits, labels: [2, 2], rows: 2, classes: 3 };
    const { loss, parts, dlogits } = consistencyObjective({
      ...{ lambda: 7, distance: 'symmetric-kl', temperature: 1 },
    })(input);
    const plain = new Float64Array(6);
    assert.equal(loss, crossEntropy()(logits, [2, 2], 3, plain));
    assert.equal(parts.distill, 0);
    assert.deepEqual(dlogits, plain);
  });

  test('of a regression draws two numbers together by their squared distance', () => {
    const objective = consistencyObjective({
      ...{ lambda: 3, distance: 'mse', temperature: 1, labelLoss: regressionLoss },
    });
    const input = { logits: Float32Array.of(1, 4, 3, 4), labels: [1, 2, 1, 2], rows: 4, classes: 1 };
    const { loss, parts, dlogits } = objective(input);
    assert.deepEqual(parts, { ce: (0 + 4 + 4 + 4) / 4, distill: (4 + 0) / 2 / 2 });
    assert.equal(loss, 3 + 3 * 1);
    // 2(z − y)/4 of the labels, ±λ·½·2(z₁ − z₂)/2 of the other draw
    assert.deepEqual([...dlogits], [0 - 3, 1, 1 + 3, 1]);
  });
});
