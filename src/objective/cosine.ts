import type { Distance } from './distance.ts';

/**
 * 1 − z·z̄ / (‖z‖·‖z̄‖), the mean over the rows; 0 for a row where either is zero. With cos the quotient, its gradient
 * with respect to z is (cos·z/‖z‖ − z̄/‖z̄‖) / (‖z‖ · rows).
 */
export const cosine: Distance = (logits, teacherLogits, dlogits, { classes, weight }) => {
  const rows = logits.length / classes;
  let sum = 0;
  for (let start = 0; start < logits.length; start += classes) {
    let [product, student, teacher] = [0, 0, 0];
    for (let i = start; i < start + classes; i++) {
      product += logits[i]! * teacherLogits[i]!;
      student += logits[i]! ** 2;
      teacher += teacherLogits[i]! ** 2;
    }
    const [length, teacherLength] = [Math.sqrt(student), Math.sqrt(teacher)];
    if (length === 0 || teacherLength === 0) continue;
    const cos = product / (length * teacherLength);
    sum += 1 - cos;
    for (let i = start; i < start + classes; i++) {
      const direction = (cos * logits[i]!) / length - teacherLogits[i]! / teacherLength;
      dlogits[i]! += (weight * direction) / (length * rows);
    }
  }
  return sum / rows;
};
