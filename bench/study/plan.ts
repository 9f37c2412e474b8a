import type { TrainOptionsInput } from '../../src/config/train-options.ts';

/** One training run of the study. */
export interface Cell {
  model: 'tiny' | 'minilm' | 'embedded';
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
const sda = { strategy: 'sda' } as const;
export const settings = {
  finetune: { strategy: 'finetune', average: 'se', teacherStart: 0.5, export: 'student' },
  'sda all': { ...sda },
  'sda all, λ 0.5': { ...sda, lambda: 0.5 },
  'sda all, λ 2': { ...sda, lambda: 2 },
  'sda all, ramp 0.5': { ...sda, lambdaRamp: 0.5 },
  'sda all, start 0.25': { ...sda, teacherStart: 0.25 },
  'sda all, kl': { ...sda, distance: 'kl' },
  'sda all, symmetric-kl': { ...sda, distance: 'symmetric-kl' },
  'sda all, cosine': { ...sda, distance: 'cosine' },
  'sda all, cosine, start 0.25': { ...sda, distance: 'cosine', teacherStart: 0.25 },
  'sda K=1': { ...sda, window: 1 },
  'sda K=1, kl': { ...sda, window: 1, distance: 'kl' },
  'sda K=5': { ...sda, window: 5 },
  'sdv K=1': { strategy: 'sdv', window: 1 },
  'sdv K=5': { strategy: 'sdv', window: 5 },
  'r-drop': { strategy: 'r-drop' },
  ema: { strategy: 'ema' },
  'ema, kl': { strategy: 'ema', distance: 'kl' },
  'se all': { strategy: 'se' },
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
  tiny: { options: { batchSize: 16, lr: 1e-3, headLr: 5e-3, head: 'mean' }, evaluations: 5, test: 2000 },
  minilm: { options: { batchSize: 32, lr: 5e-5, headLr: 1e-3 }, evaluations: 2, test: 1000 },
  // as models/mini-bert/settings.yaml has them
  embedded: { options: { batchSize: 32, lr: 5e-4, headLr: 1e-3 }, evaluations: 4, test: 2000 },
};

/** Tokens a text, or a pair, is cut to: most are shorter, and the study's cost is proportional to the longest. */
export const maxLengths: Record<Cell['task'], number> = { topics: 24, pairs: 40, verbs: 24, spam: 24 };

const tasks = ['topics', 'pairs', 'verbs', 'spam'] as const;
export const seeds = [1, 2, 3, 4, 5];

const short = ['finetune', 'sda all', 'sda all, λ 0.5', 'sda K=1, kl', 'sda all, kl'] as const;
const more = [
  'sda K=1',
  'ema',
  'sda all, start 0.25',
  'sda all, ramp 0.5',
  'sda all, λ 2',
  'ema, kl',
  'sda K=5',
  'se all',
] as const;

const rare = ['r-drop', 'sda all, symmetric-kl', 'sda all, cosine', 'sdv K=1', 'sdv K=5'] as const;

/** What is compared first, and what as long as there is time, by run length. */
const compared: readonly Record<number, readonly Cell['setting'][]>[] = [
  { 150: short, 500: short, 2000: ['finetune', 'sda all'] },
  { 500: ['sda K=1', 'ema', 'sda all, start 0.25'], 2000: ['sda all, kl'] },
  { 150: more, 500: more },
  { 2000: ['sda all, λ 0.5', 'sda all, λ 2', 'sda K=1', 'ema'] },
  { 150: rare, 500: rare },
  { 2000: ['sda all, start 0.25', 'sda all, ramp 0.5', 'sda K=1, kl'] },
  { 500: ['sda all, cosine, start 0.25'], 2000: ['sda all, symmetric-kl', 'sda K=5'] },
];

/** What the default was chosen among. */
const main = ['finetune', 'sda all', 'sda all, kl'] as const;

export type Study = keyof typeof plans;

/** Which runs belong to a study. Seed by seed: wherever it is stopped, what is done is balanced. */
export const plans = {
  defaults: planDefaults,
  /** The choice again, on seeds that had no part in it. */
  confirm: () =>
    [150, 500].flatMap((steps) =>
      cellsOf(
        { model: 'tiny', steps },
        tasks,
        [...main, 'sda all, symmetric-kl'],
        [6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
      ),
    ),
  paper: () => [
    ...cellsOf({ model: 'minilm', steps: 125 }, ['topics', 'pairs'], main),
    // four epochs
    ...cellsOf({ model: 'embedded', steps: 250 }, ['topics', 'pairs'], main),
    ...cellsOf({ model: 'minilm', steps: 125 }, ['topics', 'pairs'], ['sda K=1', 'ema']),
  ],
} satisfies Record<string, () => Cell[]>;

function planDefaults(): Cell[] {
  const cells = compared.flatMap((byLength) =>
    product(seeds, Object.keys(byLength)).flatMap(([seed, length]) => {
      const steps = Number(length);
      return product(byLength[steps]!, tasks).map(([setting, task]): Cell => {
        return { model: 'tiny', task, steps, setting, seed };
      });
    }),
  );
  // A setting may be in two stages.
  return [...new Map(cells.map((cell) => [nameOf(cell), cell])).values()];
}

function cellsOf(
  fixed: Pick<Cell, 'model' | 'steps'>,
  tasks: readonly Cell['task'][],
  settings: readonly Cell['setting'][],
  ofSeeds: readonly number[] = seeds,
): Cell[] {
  return product(ofSeeds, tasks, settings).map(([seed, task, setting]) => ({
    ...fixed,
    task,
    setting,
    seed,
  }));
}

export function nameOf({ model, task, steps, setting, seed }: Cell): string {
  return [model, task, steps, setting, seed].join('/');
}

/** All combinations; the last varies fastest. */
function product<T extends readonly (readonly unknown[])[]>(...lists: T): { [I in keyof T]: T[I][number] }[] {
  return lists.reduce<unknown[][]>(
    (rows, list) => rows.flatMap((row) => list.map((value) => [...row, value])),
    [[]],
  ) as { [I in keyof T]: T[I][number] }[];
}
