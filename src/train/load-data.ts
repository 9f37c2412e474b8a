import type { TrainOptions } from '../config/train-options.ts';
import { drawExamples } from '../data/draw.ts';
import type { Example } from '../data/example.ts';
import { readExamples } from '../data/read.ts';
import { splitDev } from '../data/split.ts';
import { type TaskName, tasks } from '../data/tasks/index.ts';
import { readTask, type TaskSplit } from '../data/tasks/read-task.ts';
import { sampleTask } from '../data/tasks/wordnet-topics.ts';
import { SesdError } from '../errors.ts';

/** Examples and where they came from, for messages. */
export interface NamedExamples {
  name: string;
  examples: Example[];
  /** The classes in their order, where the file names them. */
  classNames?: readonly string[];
}

/** The splits there are. */
export interface TrainingData {
  train: NamedExamples;
  dev?: NamedExamples;
  test?: NamedExamples;
  /** Others to measure the restored weights on, by name: "dev-mismatched". */
  further: Readonly<Record<string, NamedExamples>>;
}

/**
 * Reads the files of a run or of its task, or loads the sample task when neither is named, sets dev aside where
 * a fraction is asked for, and draws the examples to train on where they are limited.
 * @param notify is told what the user should know of the data
 * @throws SesdError SESD_BAD_DATA; SESD_USAGE when there is nothing to be patient about
 */
export async function loadData(
  options: TrainOptions,
  notify: (message: string) => void,
): Promise<TrainingData> {
  const data = await readData(options, notify);
  if (typeof options.dev === 'number') {
    const stratified = options.problemType === 'classification';
    const { train, dev } = splitDev(data.train.examples, options.dev, options.seed, { stratified });
    data.train = { ...data.train, examples: train };
    data.dev = { ...data.train, examples: dev };
  }
  if (options.trainLimit !== undefined) {
    const examples = drawExamples(data.train.examples, options.trainLimit, options.seed);
    data.train = { ...data.train, examples };
  }
  if (options.patience !== undefined && !data.dev) {
    throw new SesdError('SESD_USAGE', `--patience: ${data.train.name} has no development split.`, {
      hint: 'Set one aside with --dev 0.1.',
    });
  }
  return data;
}

/** Every split there is, with its name. */
export function namedSplits({ train, dev, test, further }: TrainingData): [string, NamedExamples][] {
  return Object.entries({ train, ...(dev && { dev }), ...(test && { test }), ...further });
}

async function readData(options: TrainOptions, notify: (message: string) => void): Promise<TrainingData> {
  const { task, data, train } = options;
  if (task !== undefined) return taskData(task, data!, notify);
  return train === undefined ? await sampleData() : await filesOf(options);
}

async function taskData(
  task: TaskName,
  folder: string,
  notify: (message: string) => void,
): Promise<TrainingData> {
  const { splits, notices } = await readTask(tasks[task], folder);
  for (const notice of notices) notify(notice);
  const { train, dev, test, ...others } = splits;
  const further = Object.entries(others).map(([name, split]) => [name, namedSplit(split!)]);
  return {
    train: namedSplit(train),
    ...(dev && { dev: namedSplit(dev) }),
    ...(test && { test: namedSplit(test) }),
    further: Object.fromEntries(further),
  };
}

function namedSplit({ path, examples }: TaskSplit): NamedExamples {
  return { name: path, examples };
}

async function sampleData(): Promise<TrainingData> {
  const splits = await sampleTask.load();
  const name = `the sample task ${sampleTask.name}`;
  return {
    train: { name, examples: splits.train },
    dev: { name, examples: splits.dev },
    test: { name, examples: splits.test },
    further: {},
  };
}

async function filesOf(options: TrainOptions): Promise<TrainingData> {
  const { text, textPair, label } = options;
  const columns = { ...(text && { text }), ...(textPair && { textPair }), ...(label && { label }) };
  const read = async (flag: string, path: string): Promise<NamedExamples> => {
    const { examples, classNames } = await readExamples(path, { ...columns, flag });
    return { name: path, examples, ...(classNames && { classNames }) };
  };
  const data: TrainingData = { train: await read('--train', options.train!), further: {} };
  if (typeof options.dev === 'string') data.dev = await read('--dev', options.dev);
  if (options.test !== undefined) data.test = await read('--test', options.test);
  checkPairs(data);
  return data;
}

/** A model trained on pairs means nothing on single texts, nor the other way about. */
function checkPairs({ train, dev, test }: TrainingData): void {
  const kind = ({ examples }: NamedExamples) => (examples[0]?.pair === undefined ? 'single texts' : 'pairs');
  for (const other of [dev, test]) {
    if (!other || kind(other) === kind(train)) continue;
    throw new SesdError(
      'SESD_BAD_DATA',
      `${other.name} holds ${kind(other)}, but ${train.name} holds ${kind(train)}.`,
      { hint: 'Name the columns with --text and --text-pair.' },
    );
  }
}
