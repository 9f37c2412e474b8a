import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TaskName, tasks } from '../../../src/data/tasks/index.ts';
import { readTask } from '../../../src/data/tasks/read-task.ts';
import { SesdError } from '../../../src/errors.ts';

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files, by their paths in it. */
export function published(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sesd-task-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** The examples of every split of a task, and what was said of them. */
export async function read(name: TaskName, folder: string) {
  const { splits, notices } = await readTask(tasks[name], folder);
  const examples = Object.fromEntries(
    Object.entries(splits).map(([split, found]) => [split, found!.examples]),
  );
  return { examples, notices, labels: tasks[name].labels };
}

/** Checks for a data error with this message, and hint. */
export function badData(message: RegExp, hint = /(?:)/) {
  return (error: unknown): boolean =>
    error instanceof SesdError &&
    error.code === 'SESD_BAD_DATA' &&
    message.test(error.message) &&
    hint.test(error.hint ?? '');
}
