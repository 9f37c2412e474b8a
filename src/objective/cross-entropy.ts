import type { LabelLoss } from './objective.ts';

export interface CrossEntropyOptions {
  /** Weight of an example by its class; all are 1 when absent. */
  classWeights?: ArrayLike<number> | undefined;
  /** ε: share of the target that is spread evenly over all classes. */
  labelSmoothing?: number | undefined;
}

/**
 * Cross-entropy: mean over the rows of w_y · Σ_c t_c · (−log softmax(z)_c), with the target
 * t = (1−ε)·onehot(y) + ε/C, by the shifted log-sum-exp, in float64. Its gradient is w_y · (softmax(z) − t) / rows.
 *
 * The sum is divided by the rows, not by their weights (as PyTorch divides), so that several micro-batches
 * equal the one large batch.
 * Source of the smoothing: Szegedy et al. 2016, section 7.
 */
export function crossEntropy({ classWeights, labelSmoothing = 0 }: CrossEntropyOptions = {}): LabelLoss {
  return (logits, labels, classes, dlogits) => {
    const rows = labels.length;
    const spread = labelSmoothing / classes;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const z = logits.subarray(row * classes, (row + 1) * classes);
      const label = labels[row]!;
      const weight = classWeights?.[label] ?? 1;
      let max = Number.NEGATIVE_INFINITY;
      for (const value of z) max = Math.max(max, value);
      let total = 0;
      for (const value of z) total += Math.exp(value - max);
      const logTotal = Math.log(total);
      for (let c = 0; c < classes; c++) {
        const logProbability = z[c]! - max - logTotal;
        const target = (c === label ? 1 - labelSmoothing : 0) + spread;
        // Where the target is 0 its share is, also of a class without probability.
        if (target > 0) sum -= weight * target * logProbability;
        dlogits[row * classes + c]! += (weight * (Math.exp(logProbability) - target)) / rows;
      }
    }
    return sum / rows;
  };
}
