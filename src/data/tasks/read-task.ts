import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SesdError } from '../../errors.ts';
import type { Example } from '../example.ts';
import type { Layout, Task } from './task.ts';

/** One split of a dataset and the file or folder it came from. */
export interface TaskSplit {
  path: string;
  examples: Example[];
}

export interface TaskRead {
  /** By name: train, and those the dataset has of dev, test and others. */
  splits: { train: TaskSplit; dev?: TaskSplit; test?: TaskSplit; [further: string]: TaskSplit | undefined };
  /** What was left out or is not there, a sentence each. */
  notices: string[];
}

/**
 * Reads a published dataset.
 * @param folder its folder, or the one that lies in
 * @throws SesdError SESD_BAD_DATA naming what is missing and who publishes it, or the file and line that is wrong
 */
export async function readTask(task: Task, folder: string): Promise<TaskRead> {
  const { layout, folder: found } = await findLayout(task, folder);
  const leftOut: string[] = [];
  const splits: [string, TaskSplit][] = [];
  for (const [split, name] of filesOf(layout)) {
    const path = join(found, name);
    const read = await layout.read(path);
    splits.push([split, { path, examples: read.examples }]);
    if (read.leftOut) leftOut.push(`${read.leftOut} of ${name}`);
  }
  const notices = leftOut.length > 0 ? [`${task.title}: left out are ${leftOut.join(', ')}.`] : [];
  if (!layout.files.test && task.withoutTest) notices.push(`${task.title}: ${task.withoutTest}`);
  return { splits: Object.fromEntries(splits) as TaskRead['splits'], notices };
}

function filesOf({ files }: Layout): [split: string, name: string][] {
  return Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** The form of the dataset that is complete in the folder, or in one of its own name below. */
async function findLayout(task: Task, folder: string): Promise<{ layout: Layout; folder: string }> {
  const isFolder = (await stat(folder).catch(() => undefined))?.isDirectory();
  if (!isFolder) throw notFound(task, `--data ${folder}: no such folder.`);
  const candidates: Candidate[] = [];
  for (const place of [folder, ...task.folders.map((name) => join(folder, name))]) {
    for (const layout of task.layouts) {
      const missing = await missingIn(place, layout);
      if (missing.length === 0) return { layout, folder: place };
      candidates.push({ place, layout, missing });
    }
  }
  const [{ place, layout, missing }] = candidates.sort(byMissing) as [Candidate, ...Candidate[]];
  const wanted = filesOf(layout).map(([, name]) => name);
  if (missing.length < wanted.length) {
    throw notFound(task, `--data ${folder}: ${place} has no ${missing.join(' and no ')}.`);
  }
  const places = ['it', ...task.folders.map((name) => join(folder, name))].join(' or ');
  throw notFound(task, `--data ${folder}: expected ${wanted.join(', ')} in ${places}, found none of them.`);
}

interface Candidate {
  place: string;
  layout: Layout;
  missing: readonly string[];
}

/** What most is there of comes first, then what takes the fewest files. */
function byMissing(a: Candidate, b: Candidate): number {
  const share = ({ layout, missing }: Candidate) => missing.length / filesOf(layout).length;
  return share(a) - share(b) || a.missing.length - b.missing.length;
}

async function missingIn(folder: string, layout: Layout): Promise<string[]> {
  const names = filesOf(layout).map(([, name]) => name);
  const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return names.filter((_, i) => found[i] === undefined);
}

function notFound({ title, published }: Task, message: string): SesdError {
  return new SesdError('SESD_BAD_DATA', message, {
    hint: `${title} is published ${published}; unpack it and name its folder with --data.`,
  });
}
