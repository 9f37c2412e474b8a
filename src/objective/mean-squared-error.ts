/**
 * Mean over all elements of (z − z̄)², in float64. The teacher's logits z̄ are constants.
 *
 * @param dlogits like the logits; takes in weight · 2(z − z̄) / elements.
 */
export function meanSquaredError(
  logits: Float32Array,
  teacherLogits: Float32Array,
  dlogits: Float64Array,
  weight = 1,
): number {
  const elements = logits.length;
  let sum = 0;
  for (let i = 0; i < elements; i++) {
    const difference = logits[i]! - teacherLogits[i]!;
    sum += difference * difference;
    dlogits[i]! += (weight * 2 * difference) / elements;
  }
  return sum / elements;
}
