import type { TrainOptionsInput } from '../config/train-options.ts';

/** A line of a table: trained for itself, or made of the models of BASE. */
export type Row = { name: string } & ({ options: TrainOptionsInput } | { combine: 'avg' | 'vote' });

export interface Table {
  description: string;
  /** The first is what the others are compared with. */
  rows: readonly Row[];
}

const base: Row = { name: 'BASE', options: { strategy: 'finetune' } };
const sda = (window: number | 'all'): Row => ({
  name: `SDA K=${window}`,
  options: { strategy: 'sda', window },
});
const sdv = (window: number): Row => ({ name: `SDV K=${window}`, options: { strategy: 'sdv', window } });

/** The tables of the paper (arXiv 2002.10345) by what they vary. */
export const tables = {
  table3: {
    description: 'every method',
    rows: [
      base,
      { name: 'VOTE', combine: 'vote' },
      { name: 'AVG', combine: 'avg' },
      { name: 'SE', options: { strategy: 'se' } },
      { name: 'SDV', options: { strategy: 'sdv' } },
      { name: 'SDA', options: { strategy: 'sda' } },
    ],
  },
  large: {
    description: 'BERT-large, whose model --onnx has to be',
    rows: [base, sda(1), sda('all')],
  },
  'k-ablation': {
    description: 'size of the window; with K=1, SDA is SDV',
    rows: [base, ...[1, 2, 3, 4, 5].map(sdv), sda('all'), ...[2, 3, 4, 5].map(sda)],
  },
  'lambda-ablation': {
    description: 'weight of the distillation, of SDA with K=5',
    rows: [
      base,
      ...[0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5].map((lambda) => ({
        name: `λ=${lambda}`,
        options: { strategy: 'sda' as const, window: 5, lambda },
      })),
    ],
  },
  'few-data': {
    description: '1,500 training examples, other ones for each seed',
    rows: [base, sda(1), sda(5), sdv(5)].map(({ name, options }: Row & { options?: TrainOptionsInput }) => ({
      name,
      options: { ...options, trainLimit: 1500 },
    })),
  },
} satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
