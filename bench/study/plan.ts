import type { TrainOptionsInput } from '../../src/config/train-options.ts';

/** One training run of the study. */
export interface Cell {
  model: 'tiny' | 'minilm';
  task: 'topics' | 'pairs' | 'verbs' | 'spam';
  /** Optimizer updates. */
  steps: number;
  setting: keyof typeof settings;
  seed: number;
}

/**
 * What is compared, by the name the tables give it. Plain fine-tuning keeps the mean of its second half beside it, which
 * changes nothing of the run: it is what `se` gives with `teacherStart: 0.5`.
 */
export const settings = {
  finetune: { strategy: 'finetune', average: 'se', teacherStart: 0.5, export: 'student' },
  'sda all': {},
  'sda K=1': { window: 1 },
  'sda K=5': { window: 5 },
  'sdv K=5': { strategy: 'sdv' },
  ema: { strategy: 'ema' },
  'se all': { strategy: 'se' },
  'sda all, λ 0.5': { lambda: 0.5 },
  'sda all, λ 2': { lambda: 2 },
  'sda all, ramp 0.5': { lambdaRamp: 0.5 },
  'sda all, start 0.25': { teacherStart: 0.25 },
  'sda all, start 0.5': { teacherStart: 0.5 },
  'ema, start 0.25': { strategy: 'ema', teacherStart: 0.25 },
  'sda all, kl': { distance: 'kl' },
  'sda all, symmetric-kl': { distance: 'symmetric-kl' },
} as const satisfies Record<string, TrainOptionsInput>;

interface Protocol {
  options: TrainOptionsInput;
  /** Evaluations on dev, evenly spaced; the last is at the end. */
  evaluations: number;
  /** Test examples that are used. */
  test: number;
}

/** How each model is trained and measured, whatever the setting. */
export const protocols: Record<Cell['model'], Protocol> = {
  tiny: { options: { batchSize: 16, lr: 5e-4, headLr: 1e-3 }, evaluations: 5, test: 2000 },
  minilm: { options: { batchSize: 32, lr: 5e-5, headLr: 1e-3 }, evaluations: 2, test: 1000 },
};

/** Tokens a text, or a pair, is cut to: most are shorter, and the study's cost is proportional to the longest. */
export const maxLengths: Record<Cell['task'], number> = { topics: 24, pairs: 40, verbs: 24, spam: 24 };

const tasks = ['topics', 'pairs', 'verbs', 'spam'] as const;
const seeds = [1, 2, 3, 4, 5];

/** The settings worth runs of each length. */
const compared: Record<number, readonly Cell['setting'][]> = {
  150: Object.keys(settings) as Cell['setting'][],
  500: Object.keys(settings) as Cell['setting'][],
  2000: ['finetune', 'sda all', 'ema', 'sda all, start 0.25', 'sda all, λ 0.5', 'sda K=1'],
};

/** Seed by seed: wherever the study is stopped, what is done is balanced. */
export function planOf(study: 'defaults' | 'paper'): Cell[] {
  const cells: Cell[] = [];
  for (const seed of seeds) {
    if (study === 'paper') {
      for (const task of ['topics', 'pairs'] as const) {
        for (const setting of ['finetune', 'sda all', 'sda K=1', 'ema'] as const) {
          cells.push({ model: 'minilm', task, steps: 125, setting, seed });
        }
      }
      continue;
    }
    for (const [steps, settings] of Object.entries(compared)) {
      for (const setting of settings) {
        for (const task of tasks) cells.push({ model: 'tiny', task, steps: Number(steps), setting, seed });
      }
    }
  }
  return cells;
}

export function nameOf({ model, task, steps, setting, seed }: Cell): string {
  return [model, task, steps, setting, seed].join('/');
}
