import type { TrainOptionsInput } from '../../config/train-options.ts';
import { type LabelForm, named, numbered, score } from './label-form.ts';
import { splitReader } from './read-split.ts';
import { type ReadColumns, tabColumns } from './rows.ts';
import { sentences } from './settings.ts';
import type { Layout, Task } from './task.ts';

/** A dataset of GLUE in the files of its benchmark: train.tsv and dev.tsv, unquoted. MNLI is in nli.ts. */
interface GlueTask {
  title: string;
  /** Its folder and archive. */
  folder: string;
  text: string;
  pair?: string;
  label: string;
  /** How the label is written. */
  written: LabelForm;
  /** None where the label is a number. */
  labels?: readonly string[];
  columns?: ReadColumns;
  skipBroken?: boolean;
  settings?: TrainOptionsInput;
}

function glueTask(dataset: GlueTask): Task {
  const { title, folder, labels, settings } = dataset;
  return {
    title,
    published: `as ${folder}.zip of GLUE (Wang et al., gluebenchmark.com)`,
    folders: [folder],
    layouts: [{ files: { train: 'train.tsv', dev: 'dev.tsv' }, read: glueReader(dataset) }],
    ...(labels && { labels }),
    withoutTest: "The labels of GLUE's test sets are not published: there is no test split.",
    settings: { ...sentences, ...settings },
  };
}

function glueReader({ text, pair, label, written, columns = tabColumns(), skipBroken }: GlueTask) {
  return splitReader(columns, {
    text: [text],
    ...(pair !== undefined && { pair }),
    label,
    labels: written,
    ...(skipBroken && { skipBroken }),
  });
}

const acceptability = ['unacceptable', 'acceptable'];
export const cola: Task = glueTask({
  title: 'CoLA',
  folder: 'CoLA',
  columns: tabColumns(['source', 'label', 'star', 'sentence']),
  text: 'sentence',
  label: 'label',
  written: numbered(acceptability, 0),
  labels: acceptability,
  settings: { metric: 'mcc' },
});

const sentiment = ['negative', 'positive'];
export const sst2: Task = glueTask({
  title: 'SST-2',
  folder: 'SST-2',
  text: 'sentence',
  label: 'label',
  written: numbered(sentiment, 0),
  labels: sentiment,
});

const equivalence = ['not_equivalent', 'equivalent'];
const paraphrases: GlueTask = {
  title: 'MRPC',
  folder: 'MRPC',
  text: '#1 String',
  pair: '#2 String',
  label: 'Quality',
  written: numbered(equivalence, 0),
  labels: equivalence,
  settings: { metric: 'f1' },
};
/** GLUE's training and dev split are made from Microsoft's training file; Microsoft's test file has its labels. */
const microsoft: Layout = {
  files: { train: 'msr_paraphrase_train.txt', test: 'msr_paraphrase_test.txt' },
  read: glueReader(paraphrases),
};
const ofGlue = glueTask(paraphrases);
const [benchmark] = ofGlue.layouts as [Layout];
export const mrpc: Task = {
  ...ofGlue,
  published:
    'by Microsoft Research as the MSR Paraphrase Corpus, split for GLUE (Wang et al., gluebenchmark.com)',
  layouts: [
    { ...benchmark, files: { ...benchmark.files, test: 'msr_paraphrase_test.txt' } },
    benchmark,
    microsoft,
  ],
};

const duplicates = ['not_duplicate', 'duplicate'];
export const qqp: Task = glueTask({
  title: 'QQP',
  folder: 'QQP',
  text: 'question1',
  pair: 'question2',
  label: 'is_duplicate',
  written: numbered(duplicates, 0),
  labels: duplicates,
  settings: { metric: 'f1' },
  skipBroken: true, // line breaks within questions tore some rows apart
});

export const stsb: Task = glueTask({
  title: 'STS-B',
  folder: 'STS-B',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'score',
  written: score(0, 5),
  settings: { problemType: 'regression', metric: 'pearson' },
});

const entailment = ['entailment', 'not_entailment'];
export const qnli: Task = glueTask({
  title: 'QNLI',
  folder: 'QNLI',
  text: 'question',
  pair: 'sentence',
  label: 'label',
  written: named(entailment),
  labels: entailment,
});

export const rte: Task = glueTask({
  title: 'RTE',
  folder: 'RTE',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'label',
  written: named(entailment),
  labels: entailment,
});

const coreference = ['not_entailment', 'entailment'];
export const wnli: Task = glueTask({
  title: 'WNLI',
  folder: 'WNLI',
  text: 'sentence1',
  pair: 'sentence2',
  label: 'label',
  written: numbered(coreference, 0),
  labels: coreference,
});
