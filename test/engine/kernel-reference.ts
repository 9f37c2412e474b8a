// The operators of native/kernels/OPS.md in float64, written for clearness.

const TWO_32 = 1n << 32n;

export interface Dropout {
  key: readonly [number, number];
  site: number;
  ratio: number;
}

/** The number an element's fate is decided by, exactly as OPS.md defines it. */
export function streamNumber(element: bigint, key: readonly [number, number], site: number): bigint {
  const key0 = BigInt(key[0]);
  const siteKey = (BigInt(site) * 1640531527n + BigInt(key[1])) % TWO_32;
  let x = ((element % TWO_32) * 747796405n + key0) % TWO_32;
  for (const [factor, addend] of [
    [739982445n, siteKey],
    [695872825n, key0],
    [830770091n, siteKey],
  ] as const) {
    const high = x / 65536n;
    x = ((x + high * high) * factor + addend) % TWO_32;
  }
  return x;
}

/** What each of `count` elements is multiplied by: 0, or 1/(1−ratio). */
export function dropoutFactors(count: number, { key, site, ratio }: Dropout, first = 0): Float64Array {
  const threshold = BigInt(Math.floor(Math.fround(ratio) * 2 ** 32 + 0.5));
  const factor = Math.fround(1 / (1 - Math.fround(ratio)));
  return Float64Array.from({ length: count }, (_, i) =>
    streamNumber(BigInt(first + i), key, site) >= threshold ? factor : 0,
  );
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);

export interface Normalization {
  rows: number;
  width: number;
  scale: ArrayLike<number>;
  shift: ArrayLike<number>;
  epsilon: number;
}

export function layerNormalization(x: ArrayLike<number>, op: Normalization) {
  const { rows, width } = op;
  const y = new Float64Array(rows * width);
  const normalized = new Float64Array(rows * width);
  const mean = new Float64Array(rows);
  const invStdDev = new Float64Array(rows);
  for (const row of range(rows)) {
    const at = (i: number) => x[row * width + i]!;
    mean[row] = range(width).reduce((sum, i) => sum + at(i), 0) / width;
    const variance = range(width).reduce((sum, i) => sum + (at(i) - mean[row]!) ** 2, 0) / width;
    invStdDev[row] = 1 / Math.sqrt(variance + op.epsilon);
    for (const i of range(width)) {
      const value = (at(i) - mean[row]!) * invStdDev[row]!;
      normalized[row * width + i] = value;
      y[row * width + i] = value * op.scale[i]! + op.shift[i]!;
    }
  }
  return { y, normalized, mean, invStdDev };
}

/** Gradients of layerNormalization with respect to x, scale and shift. */
export function layerNormalizationGrad(
  dY: ArrayLike<number>,
  normalized: ArrayLike<number>,
  invStdDev: ArrayLike<number>,
  { rows, width, scale }: Pick<Normalization, 'rows' | 'width' | 'scale'>,
) {
  const dX = new Float64Array(rows * width);
  const dScale = new Float64Array(width);
  const dShift = new Float64Array(width);
  for (const row of range(rows)) {
    const d = range(width).map((i) => dY[row * width + i]! * scale[i]!);
    const dMean = d.reduce((sum, value) => sum + value, 0) / width;
    const dnMean = d.reduce((sum, value, i) => sum + value * normalized[row * width + i]!, 0) / width;
    for (const i of range(width)) {
      const at = row * width + i;
      dX[at] = invStdDev[row]! * (d[i]! - dMean - normalized[at]! * dnMean);
      dScale[i]! += dY[at]! * normalized[at]!;
      dShift[i]! += dY[at]!;
    }
  }
  return { dX, dScale, dShift };
}

export function columnSums(x: ArrayLike<number>, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < x.length; i++) sums[i % width]! += x[i]!;
  return sums;
}

/** Φ(x) by integrating the normal density with Simpson's rule; error below 1e-13 for |x| ≤ 12. */
function normalCdf(x: number): number {
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  const a = Math.abs(x);
  // the tail itself where it is small, so that its relative error stays small
  const [from, to] = a > 1 ? [a, a + 12] : [0, a];
  const steps = 4000;
  const h = (to - from) / steps;
  let sum = density(from) + density(to);
  for (let i = 1; i < steps; i++) sum += density(from + i * h) * (i % 2 ? 4 : 2);
  const integral = (sum * h) / 3;
  const tail = a > 1 ? integral : 0.5 - integral;
  return x < 0 ? tail : 1 - tail;
}

export function gelu(x: number, approximate: 'none' | 'tanh') {
  if (approximate === 'none') {
    const cdf = normalCdf(x);
    return { value: x * cdf, derivative: cdf + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI) };
  }
  const c = Math.sqrt(2 / Math.PI);
  // ½(1 + tanh u) without cancellation
  const half = 1 / (1 + Math.exp(-2 * c * (x + 0.044715 * x ** 3)));
  const slope = c * (1 + 3 * 0.044715 * x * x);
  return { value: x * half, derivative: half + x * 2 * half * (1 - half) * slope };
}

export interface Attention {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  headSize: number;
  scale: number;
  q: ArrayLike<number>;
  k: ArrayLike<number>;
  v: ArrayLike<number>;
  /** What is added to a score. */
  mask?: (batch: number, head: number, query: number, key: number) => number;
  dropout?: Dropout;
  /** Where the dropout stream has the first key of a query; as OPS.md has it for rows of one length when absent. */
  element?: (batch: number, head: number, query: number) => number;
}

/** Context and log-sum-exp, and with dContext the gradients. */
export function attention(op: Attention, dContext?: ArrayLike<number>) {
  const { batch, heads, queries, keys, headSize } = op;
  const width = heads * headSize;
  const context = new Float64Array(batch * queries * width);
  const logSumExp = new Float64Array(batch * heads * queries);
  const dQ = new Float64Array(batch * queries * width);
  const dK = new Float64Array(batch * keys * width);
  const dV = new Float64Array(batch * keys * width);
  const dScores = new Float64Array(batch * heads * queries * keys);
  for (const b of range(batch)) {
    for (const n of range(heads)) {
      for (const query of range(queries)) {
        const row = (b * heads + n) * queries + query;
        const qAt = (b * queries + query) * width + n * headSize;
        const kAt = (key: number) => (b * keys + key) * width + n * headSize;
        const dot = (x: ArrayLike<number>, at: number, y: ArrayLike<number>, from: number) =>
          range(headSize).reduce((sum, i) => sum + x[at + i]! * y[from + i]!, 0);
        const scores = range(keys).map((key) => {
          const score = op.scale * dot(op.q, qAt, op.k, kAt(key));
          // in float32, as where a mask of −3.4e38 leaves nothing of the score
          return op.mask ? Math.fround(score + op.mask(b, n, query, key)) : score;
        });
        const largest = Math.max(...scores);
        const masked = largest === -Infinity;
        const e = scores.map((score) => (masked ? 0 : Math.exp(score - largest)));
        const sum = e.reduce((total, value) => total + value, 0);
        logSumExp[row] = largest + Math.log(sum);
        const p = e.map((value) => (masked ? 0 : value / sum));
        const kept = op.dropout
          ? dropoutFactors(keys, op.dropout, op.element?.(b, n, query) ?? row * keys)
          : p.map(() => 1);
        for (const key of range(keys)) {
          for (const i of range(headSize)) {
            context[qAt + i]! += p[key]! * kept[key]! * op.v[kAt(key) + i]!;
          }
        }
        if (!dContext) continue;
        const dP = range(keys).map((key) => kept[key]! * dot(dContext, qAt, op.v, kAt(key)));
        const mean = dP.reduce((total, value, key) => total + value * p[key]!, 0);
        for (const key of range(keys)) {
          dScores[row * keys + key] = p[key]! * (dP[key]! - mean);
          const dScore = dScores[row * keys + key]! * op.scale;
          for (const i of range(headSize)) {
            dQ[qAt + i]! += dScore * op.k[kAt(key) + i]!;
            dK[kAt(key) + i]! += dScore * op.q[qAt + i]!;
            dV[kAt(key) + i]! += p[key]! * kept[key]! * dContext[qAt + i]!;
          }
        }
      }
    }
  }
  return { context, logSumExp, dQ, dK, dV, dScores };
}
