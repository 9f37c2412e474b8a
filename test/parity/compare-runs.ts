import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What both sides log of an optimizer update and must agree on. */
const compared = ['loss', 'ce', 'distill', 'gradNorm', 'lr'] as const;
const equal = ['examples', 'tokens'] as const;

export type StepRecord = Record<(typeof compared)[number] | (typeof equal)[number] | 'step', number>;

/** The step lines of a run's metrics.jsonl. */
export function readSteps(folder: string): StepRecord[] {
  return readMetrics(folder).filter(({ type }) => type === 'step');
}

/** The last loss of each model on dev, by the model's name. */
export function readDevLosses(folder: string): Record<string, number> {
  const evaluations = readMetrics(folder).filter(
    ({ type, split, final }) => type === 'eval' && split === 'dev' && !final,
  );
  return Object.fromEntries(evaluations.map(({ model, loss }) => [model, loss]));
}

function readMetrics(folder: string) {
  return readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export interface Tolerance {
  relative: number;
  /** Differences up to this count as none: for a distillation term that is rounding noise around 0. */
  floor: number;
}

export interface Comparison {
  /** One line for each value that differs, none when the runs agree. */
  differences: string[];
  /** The largest relative difference of each value, over the steps where it exceeds the floor. */
  worst: Record<(typeof compared)[number], number>;
}

/** Compares two runs step by step. */
export function compareRuns(
  expected: readonly StepRecord[],
  actual: readonly StepRecord[],
  { relative, floor }: Tolerance,
): Comparison {
  const differences: string[] = [];
  const worst: Comparison['worst'] = { loss: 0, ce: 0, distill: 0, gradNorm: 0, lr: 0 };
  if (expected.length !== actual.length) {
    differences.push(`expected ${expected.length} steps, found ${actual.length}`);
  }
  actual.slice(0, expected.length).forEach((found, index) => {
    const wanted = expected[index]!;
    for (const name of ['step', ...equal] as const) {
      if (found[name] !== wanted[name]) {
        differences.push(`step ${wanted.step}: ${name} ${found[name]}, expected ${wanted[name]}`);
      }
    }
    for (const name of compared) {
      const difference = Math.abs(found[name] - wanted[name]);
      if (difference <= floor) continue;
      const share = difference / Math.abs(wanted[name]);
      // A missing value makes NaN, which no comparison finds too large.
      if (!(share <= relative)) {
        differences.push(`step ${wanted.step}: ${name} ${found[name]}, expected ${wanted[name]} (${share})`);
      }
      worst[name] = Math.max(worst[name], share);
    }
  });
  return { differences, worst };
}
