import { named } from './label-form.ts';
import { splitReader } from './read-split.ts';
import { jsonColumns, tabColumns } from './rows.ts';
import { sentences } from './settings.ts';
import type { Layout, Task } from './task.ts';

const labels = ['entailment', 'neutral', 'contradiction'] as const;

const columns = {
  text: ['sentence1'],
  pair: 'sentence2',
  label: 'gold_label',
  labels: named(labels),
  unlabelled: '-', // the annotators did not agree
} as const;

/** The same files as .jsonl and as .txt with tabs. @param files without their extension */
function bothForms(files: Readonly<{ train: string; [split: string]: string }>): Layout[] {
  const withExtension = (extension: string) =>
    Object.fromEntries(
      Object.entries(files).map(([split, name]) => [split, `${name}${extension}`]),
    ) as Layout['files'];
  return [
    { files: withExtension('.jsonl'), read: splitReader(jsonColumns, columns) },
    { files: withExtension('.txt'), read: splitReader(tabColumns(), columns) },
  ];
}

export const snli: Task = {
  title: 'SNLI 1.0',
  published: 'as snli_1.0.zip by Bowman et al., the Stanford Natural Language Processing Group',
  folders: ['snli_1.0'],
  layouts: bothForms({ train: 'snli_1.0_train', dev: 'snli_1.0_dev', test: 'snli_1.0_test' }),
  labels,
  settings: sentences, // no window: its row of Table 3 fits K = 1 and K = 2
};

export const mnli: Task = {
  title: 'MultiNLI 1.0',
  published: 'as multinli_1.0.zip by Williams, Nangia and Bowman, NYU, and as MNLI.zip of GLUE',
  folders: ['multinli_1.0', 'MNLI'],
  layouts: [
    ...bothForms({
      train: 'multinli_1.0_train',
      dev: 'multinli_1.0_dev_matched',
      'dev-mismatched': 'multinli_1.0_dev_mismatched',
    }),
    {
      files: { train: 'train.tsv', dev: 'dev_matched.tsv', 'dev-mismatched': 'dev_mismatched.tsv' },
      read: splitReader(tabColumns(), columns),
    },
  ],
  labels,
  withoutTest: 'The labels of its test sets are not published: there is no test split.',
  settings: sentences,
};
