const bins = 15;

/**
 * Expected calibration error (Guo et al. 2017, equation 3): the predictions are put into 15 bins of equal width by
 * their confidence, bin m = 1..15 holding those in ((m−1)/15, m/15], and Σ |B_m|/n · |accuracy(B_m) − confidence(B_m)|
 * is taken over the bins that are not empty.
 * @param confidences probability of each prediction, above 0 and at most 1
 * @param hits 1 where the prediction is right, else 0
 * @returns between 0 and 1; NaN where a confidence is
 */
export function calibrationError(confidences: ArrayLike<number>, hits: ArrayLike<number>): number {
  const surplus = new Float64Array(bins);
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i]!;
    if (Number.isNaN(confidence)) return Number.NaN;
    // A confidence may exceed 1 by a rounding.
    const bin = Math.min(bins, Math.max(1, Math.ceil(confidence * bins))) - 1;
    surplus[bin]! += hits[i]! - confidence;
  }
  return surplus.reduce((sum, value) => sum + Math.abs(value), 0) / confidences.length;
}
