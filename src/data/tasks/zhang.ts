import { numbered } from './label-form.ts';
import { splitReader } from './read-split.ts';
import { csvColumns } from './rows.ts';
import { longTexts } from './settings.ts';
import type { Task } from './task.ts';

/**
 * The datasets of Zhang, Zhao and LeCun 2015: train.csv and test.csv without a header, of a class number from 1 and
 * one or two texts. A title and what it belongs to become one text, one a line.
 */
function zhangTask(dataset: {
  title: string;
  folder: string;
  labels: readonly string[];
  text: readonly string[];
  decode: (text: string) => string;
}): Task {
  const { title, folder, labels, text, decode } = dataset;
  const read = splitReader(csvColumns(['class', ...text]), {
    text,
    label: 'class',
    labels: numbered(labels, 1),
    decode,
  });
  return {
    title,
    published: `as ${folder}.tar.gz, among the datasets of Zhang, Zhao and LeCun's "Character-level Convolutional Networks for Text Classification"`,
    folders: [folder],
    layouts: [{ files: { train: 'train.csv', test: 'test.csv' }, read }],
    labels,
    settings: longTexts,
  };
}

/** As the readme has it, \n stands for a line break; a quote is \" (in the csv \""). */
function decode(text: string): string {
  return text.replace(/\\(n|")/g, (_, escaped) => (escaped === 'n' ? '\n' : '"'));
}

/**
 * AG's News has lost the n of its \n: a backslash stands between the last word of a line and the first of the next.
 * The damaged character entities (" #39;s") are left as published.
 */
function decodeAg(text: string): string {
  return text.replace(/\\+/g, '\n');
}

export const agNews: Task = zhangTask({
  title: "AG's News",
  folder: 'ag_news_csv',
  labels: ['World', 'Sports', 'Business', 'Sci/Tech'],
  text: ['title', 'description'],
  decode: decodeAg,
});

export const dbpedia: Task = zhangTask({
  title: 'DBPedia',
  folder: 'dbpedia_csv',
  labels: [
    ...['Company', 'EducationalInstitution', 'Artist', 'Athlete', 'OfficeHolder', 'MeanOfTransportation'],
    ...['Building', 'NaturalPlace', 'Village', 'Animal', 'Plant', 'Album', 'Film', 'WrittenWork'],
  ],
  text: ['title', 'content'],
  decode,
});

export const yelpPolarity: Task = zhangTask({
  title: 'Yelp Review Polarity',
  folder: 'yelp_review_polarity_csv',
  labels: ['negative', 'positive'],
  text: ['review'],
  decode,
});

export const yelpFull: Task = zhangTask({
  title: 'Yelp Review Full',
  folder: 'yelp_review_full_csv',
  labels: ['1 star', '2 stars', '3 stars', '4 stars', '5 stars'],
  text: ['review'],
  decode,
});
