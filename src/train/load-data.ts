import type { TrainOptions } from '../config/train-options.ts';
import type { Example } from '../data/example.ts';
import { readExamples } from '../data/read.ts';
import { splitDev } from '../data/split.ts';
import { sampleTask } from '../data/tasks/wordnet-topics.ts';
import { SesdError } from '../errors.ts';
import type { Split } from './events.ts';

/** Examples and where they came from, for messages. */
export interface NamedExamples {
  name: string;
  examples: Example[];
}

export type TrainingData = { train: NamedExamples } & { [S in Exclude<Split, 'train'>]?: NamedExamples };

/**
 * Reads the files of a run, or loads the sample task when none is named, and sets dev aside where a fraction
 * is asked for.
 * @throws SesdError SESD_BAD_DATA
 */
export async function loadData(options: TrainOptions): Promise<TrainingData> {
  const data = options.train === undefined ? await sampleData() : await filesOf(options);
  if (typeof options.dev === 'number') {
    const { train, dev } = splitDev(data.train.examples, options.dev, options.seed);
    data.train = { ...data.train, examples: train };
    data.dev = { ...data.train, examples: dev };
  }
  return data;
}

async function sampleData(): Promise<TrainingData> {
  const splits = await sampleTask.load();
  const name = `the sample task ${sampleTask.name}`;
  return {
    train: { name, examples: splits.train },
    dev: { name, examples: splits.dev },
    test: { name, examples: splits.test },
  };
}

async function filesOf(options: TrainOptions): Promise<TrainingData> {
  const { text, textPair, label } = options;
  const columns = { ...(text && { text }), ...(textPair && { textPair }), ...(label && { label }) };
  const read = async (flag: string, path: string): Promise<NamedExamples> => {
    const { examples } = await readExamples(path, { ...columns, flag });
    return { name: path, examples };
  };
  const data: TrainingData = { train: await read('--train', options.train!) };
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
