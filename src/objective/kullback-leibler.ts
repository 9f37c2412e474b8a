import type { Distance } from './distance.ts';

/**
 * τ² · KL(p̄ ‖ p), the mean over the rows, with p = softmax(z/τ) of the student and p̄ = softmax(z̄/τ) of the teacher; τ² keeps
 * the gradient's size whatever the temperature (Hinton, Vinyals and Dean 2015, Distilling the Knowledge in a Neural
 * Network, §2). Its gradient with respect to z is τ·(p − p̄) / rows.
 */
export const kullbackLeibler: Distance = (logits, teacherLogits, dlogits, options) =>
  eachRow(logits, teacherLogits, dlogits, options, ({ p, logP, q, logQ }) => {
    let value = 0;
    for (let c = 0; c < p.length; c++) value += q[c]! * (logQ[c]! - logP[c]!);
    return { value, dscaled: p.map((probability, c) => probability - q[c]!) };
  });

/**
 * τ² · (KL(p̄ ‖ p) + KL(p ‖ p̄)), the mean over the rows: the distance of SMART's Bregman term (Jiang et al. 2020,
 * eq. 5). With r = log p − log p̄ the second term's gradient with respect to z is τ·p·(r − Σ p·r) / rows.
 */
export const symmetricKullbackLeibler: Distance = (logits, teacherLogits, dlogits, options) =>
  eachRow(logits, teacherLogits, dlogits, options, ({ p, logP, q, logQ }) => {
    const ratio = p.map((_, c) => logP[c]! - logQ[c]!);
    let mean = 0;
    let value = 0;
    for (let c = 0; c < p.length; c++) {
      mean += p[c]! * ratio[c]!;
      value += (p[c]! - q[c]!) * ratio[c]!;
    }
    return {
      value,
      dscaled: p.map((probability, c) => probability - q[c]! + probability * (ratio[c]! - mean)),
    };
  });

/** Softmax and its logarithm, of student (p) and teacher (q), at the temperature. */
interface Row {
  p: Float64Array;
  logP: Float64Array;
  q: Float64Array;
  logQ: Float64Array;
}

/** Mean over the rows of τ² times a divergence, whose gradient `dscaled` is with respect to z/τ. */
function eachRow(
  logits: Float32Array,
  teacherLogits: Float32Array,
  dlogits: Float64Array,
  { classes, temperature, weight }: Parameters<Distance>[3],
  divergence: (row: Row) => { value: number; dscaled: Float64Array },
): number {
  const rows = logits.length / classes;
  let sum = 0;
  for (let start = 0; start < logits.length; start += classes) {
    const [p, logP] = softmaxOf(logits.subarray(start, start + classes), temperature);
    const [q, logQ] = softmaxOf(teacherLogits.subarray(start, start + classes), temperature);
    const { value, dscaled } = divergence({ p, logP, q, logQ });
    sum += value;
    for (let c = 0; c < classes; c++) dlogits[start + c]! += (weight * temperature * dscaled[c]!) / rows;
  }
  return (temperature ** 2 * sum) / rows;
}

function softmaxOf(z: Float32Array, temperature: number): [Float64Array, Float64Array] {
  const scaled = Float64Array.from(z, (value) => value / temperature);
  const max = scaled.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const logTotal = max + Math.log(scaled.reduce((total, value) => total + Math.exp(value - max), 0));
  const logs = scaled.map((value) => value - logTotal);
  return [logs.map(Math.exp), logs];
}
