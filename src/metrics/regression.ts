/** How well numbers are predicted. */
export interface RegressionMetrics {
  examples: number;
  /** What training minimizes: the mean squared error. */
  loss: number;
  mse: number;
  rmse: number;
  mae: number;
  /** Linear correlation; 0 when undefined, as where all predictions or all targets are the same. */
  pearson: number;
  /** Correlation of the ranks; 0 when undefined. */
  spearman: number;
}

/**
 * Compares predictions with targets, in float64.
 * @throws RangeError when the sizes do not agree
 */
export function evaluateValues(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
): RegressionMetrics {
  const examples = targets.length;
  if (examples === 0 || predictions.length !== examples) {
    throw new RangeError(`evaluateValues: ${predictions.length} predictions for ${examples} examples`);
  }
  let squares = 0;
  let absolutes = 0;
  for (let i = 0; i < examples; i++) {
    const error = predictions[i]! - targets[i]!;
    squares += error * error;
    absolutes += Math.abs(error);
  }
  const mse = squares / examples;
  return {
    examples,
    loss: mse,
    mse,
    rmse: Math.sqrt(mse),
    mae: absolutes / examples,
    pearson: pearson(predictions, targets),
    spearman: spearman(predictions, targets),
  };
}

/** Pearson's r = Σ(x−x̄)(y−ȳ) / √(Σ(x−x̄)² · Σ(y−ȳ)²); 0 where x or y is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  // Asked of the values: about a rounded mean even equal ones may deviate.
  if (isConstant(x) || isConstant(y)) return 0;
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - meanX, y[i]! - meanY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  // Two roots: the product of the sums may leave the range of a double. Rounding may exceed 1.
  return clamp(xy / (Math.sqrt(xx) * Math.sqrt(yy)));
}

/** Spearman's ρ: Pearson's r of the ranks, where equal values share the mean of theirs. */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(ranks(x), ranks(y));
}

/** 1-based ranks, ascending; equal values get the mean of theirs. NaN throughout where a value is NaN. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  if (order.some((i) => Number.isNaN(values[i]))) return result.fill(Number.NaN);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) result[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function clamp(r: number): number {
  return Math.max(-1, Math.min(1, r));
}
