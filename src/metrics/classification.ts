import { calibrationError } from './calibration.ts';

/** How well logits predict labels. Definitions are scikit-learn's, with zero where a ratio is 0/0. */
export interface ClassificationMetrics {
  examples: number;
  /** Mean over examples of −log softmax(logits)[label], in nats. */
  loss: number;
  accuracy: number;
  /** Mean of the classes' F1, over the classes that occur among labels or predictions. */
  macroF1: number;
  /** F1 of the classes' counts added up; of one label an example it equals the accuracy. */
  microF1: number;
  /** Mean of the classes' F1, each weighted by its support. */
  weightedF1: number;
  /** F1 of class 1, the positive one (as GLUE reports for MRPC and QQP); only where there are two classes. */
  f1?: number;
  /** Matthews correlation coefficient, for any number of classes (Gorodkin 2004, R_K); 0 when undefined. */
  mcc: number;
  /** Expected calibration error of the most probable class; see calibrationError. */
  ece: number;
  perClass: ClassMetrics[];
  /** confusion[label][prediction] counts examples. */
  confusion: number[][];
}

export interface ClassMetrics {
  precision: number;
  recall: number;
  f1: number;
  /** Examples that have this label. */
  support: number;
}

/**
 * Evaluates logits. The prediction is the largest logit, the first of equal ones.
 * @param logits [examples, classes], row-major
 * @param labels class indices, one for each row
 * @throws RangeError when the sizes do not agree or a label is no class
 */
export function evaluateLogits(
  logits: Float32Array,
  classes: number,
  labels: ArrayLike<number>,
): ClassificationMetrics {
  const examples = labels.length;
  if (examples === 0 || logits.length !== examples * classes) {
    throw new RangeError(
      `evaluateLogits: ${logits.length} logits for ${examples} examples of ${classes} classes`,
    );
  }
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const confidences = new Float64Array(examples);
  const hits = new Uint8Array(examples);
  let loss = 0;
  for (let row = 0; row < examples; row++) {
    const label = labels[row]!;
    const counts = confusion[label];
    if (!counts)
      throw new RangeError(`evaluateLogits: label ${label} of example ${row}, expected 0..${classes - 1}`);
    const z = logits.subarray(row * classes, (row + 1) * classes);
    const { max, sum } = shiftedExponentials(z);
    const prediction = argmax(z);
    loss += max + Math.log(sum) - z[label]!;
    counts[prediction]!++;
    confidences[row] = 1 / sum; // e^(max − max) / Σ e^(z − max)
    hits[row] = prediction === label ? 1 : 0;
  }
  const perClass = confusion.map((_, index) => classMetrics(confusion, index));
  const seen = perClass.filter(({ support }, index) => support > 0 || columnSum(confusion, index) > 0);
  const correct = confusion.reduce((sum, row, index) => sum + row[index]!, 0);
  return {
    examples,
    loss: loss / examples,
    accuracy: correct / examples,
    macroF1: seen.reduce((sum, { f1 }) => sum + f1, 0) / seen.length,
    // Every false positive of one class is a false negative of another: 2tp / (2tp + fp + fn) = correct / examples.
    microF1: correct / examples,
    weightedF1: perClass.reduce((sum, { f1, support }) => sum + support * f1, 0) / examples,
    ...(classes === 2 && { f1: perClass[1]!.f1 }),
    mcc: matthews(confusion, examples, correct),
    ece: calibrationError(confidences, hits),
    perClass,
    confusion,
  };
}

/**
 * Softmax of each row.
 * @param logits [rows, classes], row-major
 * @returns probabilities of the same shape
 */
export function softmax(logits: Float32Array, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const z = logits.subarray(start, start + classes);
    const { max, sum } = shiftedExponentials(z);
    const total = max + Math.log(sum);
    for (let i = 0; i < classes; i++) probabilities[start + i] = Math.exp(z[i]! - total);
  }
  return probabilities;
}

/** Index of the largest value, the first of equal ones. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Σ e^(z − max), in float64: max + its logarithm is log Σ e^z, without overflow. */
function shiftedExponentials(z: Float32Array): { max: number; sum: number } {
  let max = -Infinity;
  for (const value of z) if (value > max) max = value;
  let sum = 0;
  for (const value of z) sum += Math.exp(value - max);
  return { max, sum };
}

function classMetrics(confusion: number[][], index: number): ClassMetrics {
  const support = confusion[index]!.reduce((sum, count) => sum + count, 0);
  const predicted = columnSum(confusion, index);
  const hits = confusion[index]![index]!;
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, predicted + support),
    support,
  };
}

function columnSum(confusion: number[][], index: number): number {
  return confusion.reduce((sum, row) => sum + row[index]!, 0);
}

function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? 0 : numerator / denominator;
}

/** R_K = (n·c − Σ t_k p_k) / √((n² − Σ p_k²)(n² − Σ t_k²)), with t_k labels and p_k predictions of class k, c correct of n. */
function matthews(confusion: number[][], examples: number, correct: number): number {
  let both = 0;
  let labelled = 0;
  let predicted = 0;
  confusion.forEach((row, index) => {
    const t = row.reduce((sum, count) => sum + count, 0);
    const p = columnSum(confusion, index);
    both += t * p;
    labelled += t * t;
    predicted += p * p;
  });
  const square = examples * examples;
  return ratio(examples * correct - both, Math.sqrt((square - predicted) * (square - labelled)));
}
