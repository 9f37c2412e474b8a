import assert from 'node:assert/strict';
import type { Averaging, Engine, UpdateOptions, Weights } from '../../src/engine/engine.ts';
import { distillationObjective } from '../../src/objective/distillation.ts';
import { relativeError, tinyBatch } from '../bert/tiny-bert.ts';
import { collect } from './training-engines.ts';

// Steps of self-distillation in both of their forms, and what is seen of some of them.

const labels = [2, 0, 1, 1].slice(0, tinyBatch().rows);
const lambda = 0.75;

/** A batch of a step that has `examples` in all, with dropout that depends on `n`. */
type Pass = (
  engine: Engine,
  teacher: Weights | undefined,
  n: number,
  examples: number,
) => Promise<{ logits: ArrayLike<number>; teacherLogits: ArrayLike<number> | undefined }>;

/** The objective in TypeScript. */
export const splitPass: Pass = async (engine, teacher, n, examples) => {
  const { data: teacherLogits } = teacher ? await engine.infer(teacher, tinyBatch()) : {};
  const { data: logits, rows, classes } = await engine.forward(tinyBatch(), { dropoutKey: [n, 7] });
  const objective = distillationObjective({ lambda, distance: 'mse', temperature: 1 });
  const { dlogits } = objective({ logits, ...(teacherLogits && { teacherLogits }), labels, rows, classes });
  await engine.backward(Float32Array.from(dlogits, (value) => (value * rows) / examples));
  return { logits, teacherLogits };
};

export const wholePass: Pass = async (engine, teacher, n, examples) => {
  const lesson = { labels, weight: 1 / examples, lambda, ...(teacher && { teacher }) };
  const { logits, teacherLogits } = await engine.learn!(tinyBatch(), lesson, { dropoutKey: [n, 7] });
  return { logits: logits.data, teacherLogits: teacherLogits?.data };
};

interface Trajectory {
  /** Logits of both, norms, and at last what student and teacher predict. */
  seen: ArrayLike<number>[];
  /** The teacher's weights. */
  teacher: Record<string, Float32Array>;
}

/** Three updates of two batches each; the first has no teacher yet. */
export async function trajectory(
  engine: Engine,
  pass: Pass,
  rates: Omit<UpdateOptions, 'step'>,
  average: (into: Weights, residual: Weights, step: number) => Record<string, Averaging[]>,
): Promise<Trajectory> {
  const teacher = await engine.createWeights();
  const residual = await engine.createWeights('bf16');
  const seen: ArrayLike<number>[] = [];
  for (let step = 1; step <= 3; step++) {
    for (let micro = 0; micro < 2; micro++) {
      const taught = step > 1 ? teacher : undefined;
      const { logits, teacherLogits } = await pass(engine, taught, step + 10 * micro, 2 * labels.length);
      seen.push(logits, ...(teacherLogits ? [teacherLogits] : []));
    }
    const { gradNorm } = await engine.update({ ...rates, step, ...average(teacher, residual, step) });
    seen.push([gradNorm]);
  }
  for (const weights of [engine.student, teacher]) seen.push((await engine.infer(weights, tinyBatch())).data);
  return { seen, teacher: await collect(teacher.read()) };
}

export function assertAlike(actual: Trajectory, expected: Trajectory): void {
  assert.equal(actual.seen.length, expected.seen.length);
  expected.seen.forEach((values, index) => {
    const error = relativeError(actual.seen[index]!, values);
    assert.ok(error < 1e-4, `value ${index}: ${error}`);
  });
  for (const [name, values] of Object.entries(expected.teacher)) {
    // Where the gradient is rounding (key biases), AdamW makes full steps of its sign.
    if (/key\.bias/.test(name)) continue;
    const error = relativeError(actual.teacher[name]!, values);
    assert.ok(error < 1e-4, `${name}: ${error}`);
  }
}
