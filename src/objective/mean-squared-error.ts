import type { Distance } from './distance.ts';
import type { LabelLoss } from './objective.ts';

/** Mean over all elements of (z − z̄)² (arXiv 2002.10345, the loss of BERT_SDA); its gradient is 2(z − z̄) / elements. */
export const meanSquaredError: Distance = (logits, teacherLogits, dlogits, { weight }) =>
  squaredError(logits, teacherLogits, dlogits, weight);

/** The loss of a regression: mean over the rows of (z − y)², for one logit a row. */
export const regressionLoss: LabelLoss = (logits, labels, _, dlogits) =>
  squaredError(logits, labels, dlogits, 1);

function squaredError(
  logits: Float32Array,
  target: ArrayLike<number>,
  dlogits: Float64Array,
  weight: number,
): number {
  const elements = logits.length;
  let sum = 0;
  for (let i = 0; i < elements; i++) {
    const difference = logits[i]! - target[i]!;
    sum += difference * difference;
    dlogits[i]! += (weight * 2 * difference) / elements;
  }
  return sum / elements;
}
