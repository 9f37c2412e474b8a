import { collate, evaluationBatches, placeLogits } from '../data/batching.ts';
import type { EncodedExample } from '../data/example.ts';
import type { Engine, Weights } from '../engine/engine.ts';
import type { SplitSummary } from './events.ts';
import type { Problem } from './problem.ts';

export interface InferOptions {
  padId: number;
  signal?: AbortSignal | undefined;
}

/** Bounds on an inference batch: enough rows to keep the cores busy, few enough tokens to stay small. */
const limits = { maxRows: 64, maxTokens: 4096 };

/**
 * Logits of every example with the given weights, without dropout.
 * @returns [examples, classes], in the order of the examples
 */
export async function inferAll(
  engine: Engine,
  weights: Weights,
  examples: readonly EncodedExample[],
  { padId, signal }: InferOptions,
): Promise<Float32Array> {
  const all = new Float32Array(examples.length * engine.classes);
  const maxRows = engine.fixed.rows ?? limits.maxRows;
  for (const indices of evaluationBatches(examples, { ...limits, maxRows })) {
    signal?.throwIfAborted();
    const members = Array.from(indices, (index) => examples[index]!);
    const batch = collate(members, { padId, fixed: engine.fixed });
    placeLogits(all, indices, await engine.infer(weights, batch, signal));
  }
  return all;
}

/** Measures weights on labelled examples, as the problem is measured. */
export async function evaluate(
  engine: Engine,
  weights: Weights,
  examples: readonly EncodedExample[],
  { problem, ...options }: InferOptions & { problem: Problem },
): Promise<SplitSummary> {
  const logits = await inferAll(engine, weights, examples, options);
  return problem.measure(
    logits,
    examples.map(({ label }) => label),
  );
}
