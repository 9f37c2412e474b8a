import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { crossEntropy } from '../../src/objective/cross-entropy.ts';

interface Case {
  classes: number;
  logits: number[];
  labels: number[];
  classWeights?: number[];
  labelSmoothing: number;
  loss: number;
  dlogits: number[];
}

const cases: Case[] = readFileSync(new URL('./fixtures/cross-entropy.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

describe('cross-entropy with class weights and label smoothing', () => {
  for (const [i, { classes, labels, classWeights, labelSmoothing, ...expected }] of cases.entries()) {
    test(`has PyTorch's value and gradient, case ${i}`, () => {
      const dlogits = new Float64Array(expected.logits.length);
      const loss = crossEntropy({ classWeights, labelSmoothing })(
        Float32Array.from(expected.logits),
        labels,
        classes,
        dlogits,
      );
      assert.ok(Math.abs(loss - expected.loss) < 1e-12 * expected.loss, `${loss}, not ${expected.loss}`);
      dlogits.forEach((d, k) => {
        assert.ok(Math.abs(d - expected.dlogits[k]!) < 1e-12, `element ${k}`);
      });
    });
  }

  test('has the gradient its value has', () => {
    const logit = fc.integer({ min: -256, max: 256 }).map((value) => value / 64);
    const weight = fc.double({ min: 0.1, max: 8, noNaN: true });
    const smoothing = fc.double({ min: 0, max: 0.9, noNaN: true });
    const property = fc.property(
      fc.array(logit, { minLength: 6, maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 2 }),
      fc.array(weight, { minLength: 3, maxLength: 3 }),
      smoothing,
      (logits, labels, classWeights, labelSmoothing) => {
        const loss = crossEntropy({ classWeights, labelSmoothing });
        const dlogits = new Float64Array(6);
        loss(Float32Array.from(logits), labels, 3, dlogits);
        const step = 2 ** -10;
        for (let i = 0; i < 6; i++) {
          const at = (delta: number) =>
            loss(
              Float32Array.from(logits, (z, k) => (k === i ? z + delta : z)),
              labels,
              3,
              new Float64Array(6),
            );
          assert.ok(Math.abs(dlogits[i]! - (at(step) - at(-step)) / (2 * step)) < 1e-5);
        }
      },
    );
    fc.assert(property, { numRuns: 40, seed: 11 });
  });

  test('does not count a class without probability that is no part of the target', () => {
    const loss = crossEntropy()(Float32Array.of(0, Number.NEGATIVE_INFINITY), [0], 2, new Float64Array(2));
    assert.equal(loss, 0);
  });
});
