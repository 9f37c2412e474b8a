import type { TaskName } from '../data/tasks/index.ts';
import type { TableName } from './tables.ts';

/** Numbers of a table for one dataset, in percent; a row has one for each split the dataset is measured on. */
export interface Published {
  /** Whether the numbers are errors or accuracies. */
  unit: 'error' | 'accuracy';
  rows: Readonly<Record<string, readonly number[]>>;
}

/** Where the numbers below are from. */
export const source =
  'Xu, Qiu, Zhou, Huang: Improving BERT Fine-Tuning via Self-Ensemble and Self-Distillation, arXiv 2002.10345v1. ' +
  'BERT-base; table large: BERT-large. Those of lambda-ablation and few-data were read off figures.';

const error = (rows: Published['rows']): Published => ({ unit: 'error', rows });
const accuracy = (rows: Published['rows']): Published => ({ unit: 'accuracy', rows });

/** What the paper reports, by table and dataset. */
export const published: Readonly<Record<TableName, Partial<Record<TaskName, Published>>>> = {
  table3: {
    imdb: error({ BASE: [5.8], VOTE: [5.6], AVG: [5.68], SE: [5.82], SDV: [5.35], SDA: [5.29] }),
    'ag-news': error({ BASE: [5.71], VOTE: [5.41], AVG: [5.53], SE: [5.59], SDV: [5.38], SDA: [5.29] }),
    dbpedia: error({ BASE: [0.71], VOTE: [0.67], AVG: [0.68], SE: [0.65], SDV: [0.68], SDA: [0.68] }),
    'yelp-polarity': error({
      ...{ BASE: [2.25], VOTE: [2.03], AVG: [2.03], SE: [2.19], SDV: [2.05], SDA: [2.04] },
    }),
    'yelp-full': error({
      ...{ BASE: [30.37], VOTE: [29.44], AVG: [30.03], SE: [30.48], SDV: [29.88], SDA: [29.88] },
    }),
    snli: accuracy({ BASE: [90.7], VOTE: [91.2], AVG: [90.8], SE: [90.8], SDV: [91.2], SDA: [91.2] }),
    mnli: accuracy({
      ...{ BASE: [84.6, 83.3], VOTE: [85.3, 84.4], AVG: [85.1, 84.2] },
      ...{ SE: [84.2, 83.3], SDV: [85.3, 84.3], SDA: [85.0, 84.3] },
    }),
  },
  large: {
    imdb: error({ BASE: [4.98], 'SDA K=1': [4.66], 'SDA K=all': [4.58] }),
    'ag-news': error({ BASE: [5.45], 'SDA K=1': [5.21], 'SDA K=all': [5.15] }),
    snli: accuracy({ BASE: [90.9], 'SDA K=1': [91.5], 'SDA K=all': [91.4] }),
  },
  'k-ablation': {
    imdb: error({
      ...{ BASE: [5.8], 'SDV K=1': [5.39], 'SDV K=2': [5.44], 'SDV K=3': [5.4], 'SDV K=4': [5.47] },
      ...{ 'SDV K=5': [5.35], 'SDA K=all': [5.41], 'SDA K=2': [5.46], 'SDA K=3': [5.48] },
      ...{ 'SDA K=4': [5.44], 'SDA K=5': [5.29] },
    }),
    'ag-news': error({
      ...{ BASE: [5.71], 'SDV K=1': [5.38], 'SDV K=2': [5.39], 'SDV K=3': [5.5], 'SDV K=4': [5.49] },
      ...{ 'SDV K=5': [5.55], 'SDA K=all': [5.29], 'SDA K=2': [5.49], 'SDA K=3': [5.55] },
      ...{ 'SDA K=4': [5.52], 'SDA K=5': [5.41] },
    }),
    snli: accuracy({
      ...{ BASE: [90.7], 'SDV K=1': [91.2], 'SDV K=2': [91.1], 'SDV K=3': [91.2], 'SDV K=4': [91.2] },
      ...{ 'SDV K=5': [91.1], 'SDA K=all': [91.0], 'SDA K=2': [91.2], 'SDA K=3': [91.1] },
      ...{ 'SDA K=4': [91.1], 'SDA K=5': [91.1] },
    }),
  },
  'lambda-ablation': {
    imdb: error({
      ...{ BASE: [5.8], 'λ=0.1': [5.72], 'λ=0.2': [5.61], 'λ=0.5': [5.54], 'λ=1': [5.29], 'λ=1.5': [5.37] },
      ...{ 'λ=2': [5.45], 'λ=3': [5.56], 'λ=4': [5.58], 'λ=5': [5.9] },
    }),
  },
  'few-data': {
    snli: accuracy({ BASE: [73.2], 'SDA K=1': [74.9], 'SDA K=5': [74.3], 'SDV K=5': [74.9] }),
  },
};
