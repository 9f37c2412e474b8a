import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LabelMap } from '../../../src/data/labels.ts';
import { numberTarget } from '../../../src/data/number-target.ts';
import { type ReadOptions, readExamples } from '../../../src/data/read.ts';
import { edges, mutateBytes } from '../mutate/bytes.ts';
import { mutateJson } from '../mutate/json.ts';
import { mutateThrift } from '../mutate/thrift.ts';
import { hostileWords } from '../mutate/words.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';
import { attemptAll } from './attempts.ts';
import { randomTable } from './parquet-tables.ts';

const requests: readonly ReadOptions[] = [
  {},
  { requireLabel: false },
  { text: 'text', label: 'label', flag: '--train' },
  { text: '0', label: '1' },
];
/** Most tables made by hand have no labels. */
const parquetRequests: readonly ReadOptions[] = [
  ...requests,
  { requireLabel: false },
  { requireLabel: false },
];

/** Everything that is done with a data file before its texts are tokens; which columns are asked for, its size says. */
const readData = (extension: string, asked: readonly ReadOptions[]) => async (folder: string) => {
  const file = join(folder, `data${extension}`);
  const { size } = await stat(file);
  const request = asked[size % asked.length]!;
  const { examples } = await readExamples(file, request);
  if (request.requireLabel === false) return;
  await attemptAll([
    () => LabelMap.fromExamples(examples, file).encode(examples, file),
    () => LabelMap.fromConfig({ 0: 'a', 1: 'b' }, examples, file),
    () => numberTarget.encode(examples, file),
  ]);
};

const tokens = [
  '"',
  '""',
  ',',
  '\t',
  '\r\n',
  '\n',
  '\r',
  ';',
  '\ufeff',
  '\0',
  '\xff',
  'text,label\n',
  ...hostileWords,
].map((text) => Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8'));

function text(extension: string, cases: number, seeds: readonly string[]): Target {
  const others = seeds.map((seed) => Buffer.from(seed));
  return {
    name: extension.slice(1),
    cases,
    async load() {
      return (random) => ({
        files: { [`data${extension}`]: mutateBytes(random, random.pick(others), { tokens, others }) },
      });
    },
    run: readData(extension, requests),
  };
}

export const csv = text('.csv', 9000, [
  'text,label\n"a ""b"", c\nd",x\nplain,y\n',
  'premise,hypothesis,label\r\nžluťoučký,"kůň",1\r\n\r\n🐎,"two\r\nlines",0\r\n',
  'who are you,question\nok then,answer\nno,answer\n',
  'id,headline,topic\n1,a b,x\n2,c d,y\n',
]);

export const tsv = text('.tsv', 9000, [
  'sentence\tlabel\n"oh" he said\t0\na, b\t1\n',
  'a\tb\t1\nc\td\t0\n',
  'text\n\nlabel\tz\n',
]);

const rows = [
  [
    { text: 'a', label: 1 },
    { label: true, text: 'b', more: [1, { a: null }] },
    { text: 'é', label: ' x ' },
  ],
  [
    { premise: 'p', hypothesis: 'h', label: 'yes' },
    { premise: 'q', hypothesis: '', label: 'no' },
  ],
];

export const jsonl: Target = {
  ...text('.jsonl', 20_000, []),
  async load() {
    const lines = (each: readonly unknown[]) => each.map((row) => JSON.stringify(row)).join('\n');
    const seeds = rows.map((each) => Buffer.from(lines(each)));
    return (random) => {
      if (random.once(2))
        return { files: { 'data.jsonl': mutateBytes(random, random.pick(seeds), { tokens }) } };
      const mutated = random
        .pick(rows)
        .map((row) => (random.once(2) ? mutateJson(random, row) : JSON.stringify(row)));
      return { files: { 'data.jsonl': Buffer.from(mutated.join('\n')) } };
    };
  },
};

const fixtures = join(import.meta.dirname, '../../data/parquet/fixtures');

export const parquet: Target = {
  name: 'parquet',
  cases: 20_000,
  async load() {
    const names = (await readdir(fixtures)).filter((name) => name.endsWith('.parquet')).sort();
    const seeds = await Promise.all(names.map((name) => readFile(join(fixtures, name))));
    return (random) => ({ files: { 'data.parquet': hostileParquet(random, seeds) } });
  },
  run: readData('.parquet', parquetRequests),
};

function hostileParquet(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return mutateBytes(random, random.pick(seeds), { others: seeds });
    case 1:
      return randomTable(random, () => random.pick(edges));
    default:
      return mutateThrift(random, random.pick(seeds));
  }
}
