import { isUtf8 } from 'node:buffer';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Example } from '../example.ts';
import { readable } from '../file.ts';
import { dataError } from '../formats/format.ts';
import { longTexts } from './settings.ts';
import type { ReadSplit, Task } from './task.ts';

/** Files that are open at once. */
const atOnce = 32;

const labels = ['neg', 'pos'] as const;

/**
 * A folder with a folder for each label and in it a file for each review, named ID_RATING.txt. Reviews are read
 * in the order of labels, then ids. `<br />` is how the files write a line break, and is read as one.
 */
const readReviews: ReadSplit = async (path) => {
  const examples: Example[] = [];
  for (const label of labels) {
    const folder = join(path, label);
    const names = await reviewsIn(folder);
    const texts = await readAll(names.map((name) => join(folder, name)));
    for (const text of texts) examples.push({ text: text.replaceAll('<br />', '\n'), label, line: 1 });
  }
  return { examples };
};

async function reviewsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw dataError(folder, undefined, 'no such folder', { cause: error });
    throw readable(error, folder);
  });
  const reviews = names.filter((name) => /^\d+_\d+\.txt$/.test(name));
  if (reviews.length === 0) throw dataError(folder, undefined, 'no review (ID_RATING.txt) in the folder');
  return reviews.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
}

/** The texts of many small files, in their order. */
async function readAll(paths: readonly string[]): Promise<string[]> {
  const texts = new Array<string>(paths.length);
  let next = 0;
  const work = async () => {
    while (next < paths.length) {
      const index = next++;
      texts[index] = await readText(paths[index]!);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return texts;
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error) => {
    throw readable(error, path);
  });
  if (!isUtf8(bytes)) throw dataError(path, undefined, 'not valid UTF-8');
  return bytes.toString('utf8');
}

export const imdb: Task = {
  title: 'IMDb',
  published: 'as the Large Movie Review Dataset v1.0 (aclImdb_v1.tar.gz) by Maas et al., Stanford AI Lab',
  folders: ['aclImdb'],
  layouts: [{ files: { train: 'train', test: 'test' }, read: readReviews }],
  labels,
  settings: { ...longTexts, epochs: 6 },
  teacherWindow: 5, // both rows of Table 3 are those of K = 5 in the ablation
};
