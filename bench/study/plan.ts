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

/** What is compared, by the name the tables give it. */
export const settings = {
  finetune: { strategy: 'finetune' },
  'sda all': {},
  'sda K=1': { window: 1 },
  'sda K=5': { window: 5 },
  'sda all, λ 0.5': { lambda: 0.5 },
  'sda all, λ 2': { lambda: 2 },
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

const all = Object.keys(settings) as Cell['setting'][];

/** The most telling cells first, seed by seed: wherever the study is stopped, what is done is balanced. */
export function planOf(study: 'defaults' | 'paper'): Cell[] {
  const cells: Cell[] = [];
  for (const seed of [1, 2, 3, 4, 5]) {
    if (study === 'paper') {
      for (const task of ['topics', 'pairs'] as const) {
        for (const setting of ['finetune', 'sda all', 'sda K=1'] as const) {
          cells.push({ model: 'minilm', task, steps: 125, setting, seed });
        }
      }
      continue;
    }
    for (const steps of [150, 500, 2000]) {
      for (const setting of all) {
        for (const task of ['topics', 'pairs', 'verbs', 'spam'] as const) {
          cells.push({ model: 'tiny', task, steps, setting, seed });
        }
      }
    }
  }
  return cells;
}

export function nameOf({ model, task, steps, setting, seed }: Cell): string {
  return [model, task, steps, setting, seed].join('/');
}
