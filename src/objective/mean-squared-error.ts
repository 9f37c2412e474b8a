import type { Distance } from './distance.ts';

/** Mean over all elements of (z − z̄)² (arXiv 2002.10345, the loss of BERT_SDA); its gradient is 2(z − z̄) / elements. */
export const meanSquaredError: Distance = (logits, teacherLogits, dlogits, { weight }) => {
  const elements = logits.length;
  let sum = 0;
  for (let i = 0; i < elements; i++) {
    const difference = logits[i]! - teacherLogits[i]!;
    sum += difference * difference;
    dlogits[i]! += (weight * 2 * difference) / elements;
  }
  return sum / elements;
};
