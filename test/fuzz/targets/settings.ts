import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTrainOptions } from '../../../src/config/resolve.ts';
import { LabelMap } from '../../../src/data/labels.ts';
import { classifierConfig } from '../../../src/export/config.ts';
import { weightsOfClasses } from '../../../src/train/class-weights.ts';
import { configOptions } from '../../../src/train/open-model.ts';
import { readConfig } from '../../../src/train/read-config.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { mutateJson } from '../mutate/json.ts';
import { hostileWords } from '../mutate/words.ts';
import type { Target } from '../target.ts';

const fixture = join(import.meta.dirname, '../../fixtures/tiny-bert/config.json');
const examples = ['0', '1', 'a', 'b'].map((label, index) => ({ text: 'x', label, line: index + 1 }));

/** config.json beside a model: read, its labels taken, and written beside another. */
export const config: Target = {
  name: 'config',
  cases: 10_000,
  async load() {
    const own = {
      ...JSON.parse(await readFile(fixture, 'utf8')),
      id2label: { 0: 'a', 1: 'b' },
      label2id: { a: 0, b: 1 },
    };
    const seeds = [
      own,
      { ...own, problem_type: 'regression', sesd_train: { maxLength: 64, truncate: 'head' } },
    ];
    return (random) => {
      const json = Buffer.from(mutateJson(random, random.pick(seeds)));
      return { files: { 'config.json': random.once(4) ? mutateBytes(random, json) : json } };
    };
  },
  async run(folder) {
    const read = await readConfig(folder);
    LabelMap.fromConfig(read?.id2label, examples, 'data.csv');
    const written = configOptions(read, {
      ...{ problemType: 'classification', id2label: {}, label2id: {}, tokenizerFiles: [] },
      ...{ maxLength: 128, truncate: 'head', exportDtype: 'source' },
    });
    JSON.stringify(classifierConfig(written));
  },
};

const yaml = [
  'strategy: sda\nwindow: all\nlambda: 1\nepochs: 3\ntrain: train.csv\ndev: 0.1\n# a comment\nlr: 2e-5\n',
  'classWeights:\n  spam: 3\n  ham: 1\nhead: cls\ndistance: kl\ntemperature: 2\nmaxLength: 64\n',
  'a: &x [1, 2]\nb: *x\nepochs: !!int "3"\n? key\n: value\n--- \nlr: .inf\n',
];
const yamlTokens = [
  '&a ',
  '*a',
  '!!binary ',
  '!!js/function ',
  '<<: *a',
  '[',
  '{',
  '"',
  '---\n',
  '? ',
  '- ',
  '%YAML 1.1\n',
];

/** A file of options. */
export const options: Target = {
  name: 'options',
  cases: 6000,
  async load() {
    const others = yaml.map((text) => Buffer.from(text));
    const tokens = [...yamlTokens, ...hostileWords].map((text) => Buffer.from(text));
    return (random) => ({
      files: { 'config.yaml': mutateBytes(random, random.pick(others), { tokens, others }) },
    });
  },
  async run(folder) {
    resolveTrainOptions({ config: join(folder, 'config.yaml') });
  },
};

/** A file of weights of classes. */
export const classWeights: Target = {
  name: 'weights',
  cases: 9000,
  async load() {
    return (random) => {
      const json = Buffer.from(mutateJson(random, { a: 3, b: 0.5, c: 1 }));
      return { files: { 'weights.json': random.once(4) ? mutateBytes(random, json) : json } };
    };
  },
  async run(folder) {
    const { classWeights: read } = resolveTrainOptions({ classWeights: join(folder, 'weights.json') });
    if (read !== undefined) weightsOfClasses(read, ['a', 'b', 'c'], [0, 1, 2]);
  },
};
