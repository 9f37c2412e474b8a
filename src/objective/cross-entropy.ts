/**
 * Mean over the rows of −log softmax(z)[y], by the shifted log-sum-exp, in float64.
 *
 * @param dlogits [rows, classes]; takes in weight · (softmax(z) − onehot(y)) / rows.
 */
export function crossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  dlogits: Float64Array,
  weight = 1,
): number {
  const rows = labels.length;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) max = Math.max(max, logits[start + c]!);
    let total = 0;
    for (let c = 0; c < classes; c++) total += Math.exp(logits[start + c]! - max);
    const logTotal = Math.log(total);
    const label = labels[row]!;
    sum += logTotal - (logits[start + label]! - max);
    for (let c = 0; c < classes; c++) {
      const probability = Math.exp(logits[start + c]! - max - logTotal);
      dlogits[start + c]! += (weight * (probability - (c === label ? 1 : 0))) / rows;
    }
  }
  return sum / rows;
}
