import type { TrainOptions } from '../../config/train-options.ts';
import { cola, mrpc, qnli, qqp, rte, sst2, stsb, wnli } from './glue.ts';
import { imdb } from './imdb.ts';
import { mnli, snli } from './nli.ts';
import type { Task } from './task.ts';
import { agNews, dbpedia, yelpFull, yelpPolarity } from './zhang.ts';

export type TaskName = NonNullable<TrainOptions['task']>;

/** The datasets of the paper and GLUE, by the name `--task` calls them. */
export const tasks: Readonly<Record<TaskName, Task>> = {
  imdb,
  'ag-news': agNews,
  dbpedia,
  'yelp-polarity': yelpPolarity,
  'yelp-full': yelpFull,
  snli,
  mnli,
  cola,
  sst2,
  mrpc,
  qqp,
  stsb,
  qnli,
  rte,
  wnli,
};
