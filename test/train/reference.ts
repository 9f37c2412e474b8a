import type { EncodedExample } from '../../src/data/example.ts';
import { classes, vocabulary, width } from './tiny-engine.ts';

// Training as the formulas read, for the model of tiny-engine.ts: nothing shared with src/, every weight ever
// had is kept, and gradients are central differences of the loss.

export interface ReferenceStep {
  loss: number;
  ce: number;
  distill: number;
  gradNorm: number;
  lr: number;
}

interface Settings {
  /** Updates' examples, in order. */
  steps: readonly (readonly EncodedExample[])[];
  theta0: readonly number[];
  window?: number | 'all';
  includeStudent?: boolean;
  lambda?: number;
  lr: number;
  headLr: number;
  weightDecay: number;
  maxGradNorm: number;
  warmup: number;
}

const sizes = { embedding: vocabulary * width, weight: width * classes };

function logitsOf(theta: readonly number[], { ids }: EncodedExample): number[] {
  const pooled = Array.from({ length: width }, (_, j) => {
    let sum = 0;
    for (const id of ids) sum += theta[id * width + j]!;
    return sum / ids.length;
  });
  return Array.from({ length: classes }, (_, c) => {
    let z = theta[sizes.embedding + sizes.weight + c]!;
    for (let j = 0; j < width; j++) z += pooled[j]! * theta[sizes.embedding + j * classes + c]!;
    return z;
  });
}

export function referenceRun(settings: Settings): { steps: ReferenceStep[]; weights: number[][] } {
  const { steps, lambda = 1, window } = settings;
  const history: number[][] = [[...settings.theta0]];
  const size = settings.theta0.length;
  const m = new Array<number>(size).fill(0);
  const v = new Array<number>(size).fill(0);
  const records: ReferenceStep[] = [];
  const T = steps.length;
  const W = Math.floor(settings.warmup * T);

  for (let t = 1; t <= T; t++) {
    const examples = steps[t - 1]!;
    const student = history[t - 1]!;
    let teacher: number[] | undefined;
    if (window !== undefined) {
      let pool = history.slice(0, settings.includeStudent ? t : Math.max(1, t - 1));
      if (window !== 'all') pool = pool.slice(-window);
      teacher = student.map((_, i) => pool.reduce((sum, theta) => sum + theta[i]!, 0) / pool.length);
    }
    const parts = (theta: readonly number[]) => {
      let ce = 0;
      let distill = 0;
      for (const example of examples) {
        const z = logitsOf(theta, example);
        ce -= Math.log(Math.exp(z[example.label]!) / z.reduce((sum, x) => sum + Math.exp(x), 0));
        if (teacher) {
          const target = logitsOf(teacher, example);
          z.forEach((x, c) => {
            distill += (x - target[c]!) ** 2;
          });
        }
      }
      return { ce: ce / examples.length, distill: distill / (examples.length * classes) };
    };
    const loss = (theta: readonly number[]) => {
      const { ce, distill } = parts(theta);
      return ce + lambda * distill;
    };

    const h = 1e-5;
    const gradient = student.map((_, i) => {
      const shifted = [...student];
      shifted[i] = student[i]! + h;
      const above = loss(shifted);
      shifted[i] = student[i]! - h;
      return (above - loss(shifted)) / (2 * h);
    });
    const gradNorm = Math.hypot(...gradient);
    const clip = gradNorm > settings.maxGradNorm ? settings.maxGradNorm / (gradNorm + 1e-6) : 1;
    const s = t - 1;
    const factor = s < W ? s / Math.max(1, W) : Math.max(0, (T - s) / Math.max(1, T - W));
    history.push(
      student.map((p, i) => {
        const rate = factor * (i < sizes.embedding ? settings.lr : settings.headLr);
        const decay = i < sizes.embedding + sizes.weight ? settings.weightDecay : 0;
        const g = gradient[i]! * clip;
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g ** 2;
        const update = m[i]! / (1 - 0.9 ** t) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
        return p - rate * decay * p - rate * update;
      }),
    );
    records.push({ loss: loss(student), ...parts(student), gradNorm, lr: factor * settings.lr });
  }
  return { steps: records, weights: history };
}
