import type { Example } from '../example.ts';
import { bytesOf, readable } from '../file.ts';
import { dataError } from '../formats/format.ts';
import { utf8Lines } from '../formats/utf8.ts';
import type { LabelForm } from './label-form.ts';
import type { ColumnValues, ReadColumns } from './rows.ts';
import type { ReadSplit } from './task.ts';

/** What the columns of a dataset's files are. */
export interface Columns {
  /** Columns of the text; several are put together, one a line. */
  text: readonly string[];
  /** Column of the second text. */
  pair?: string;
  label: string;
  /** How the label is written. */
  labels: LabelForm;
  /** What stands in place of a label where there is none; such rows are left out. */
  unlabelled?: string;
  /** Leave out the rows that lack columns or have no label; otherwise they are errors. */
  skipBroken?: boolean;
  /** Turns the file's escapes into what they stand for. */
  decode?: (text: string) => string;
}

/** A reader of splits that are one file each, with the same columns. */
export function splitReader(read: ReadColumns, columns: Columns): ReadSplit {
  const { label, pair } = columns;
  const names = [label, ...columns.text, ...(pair === undefined ? [] : [pair])];
  return async (path) => {
    const examples: Example[] = [];
    let unlabelled = 0;
    let broken = 0;
    try {
      for await (const row of read(utf8Lines(bytesOf(path), path), path, names)) {
        if (columns.unlabelled !== undefined && row.values[0] === columns.unlabelled) unlabelled++;
        else if (columns.skipBroken && isBroken(row, columns)) broken++;
        else examples.push(toExample(row, columns, names, path));
      }
    } catch (error) {
      throw readable(error, path);
    }
    if (examples.length === 0) throw dataError(path, undefined, 'there is no example in the file');
    const leftOut = [
      ...(unlabelled > 0 ? [`${count(unlabelled, 'example')} without a gold label`] : []),
      ...(broken > 0 ? [`${count(broken, 'broken row')}`] : []),
    ];
    return { examples, ...(leftOut.length > 0 && { leftOut: leftOut.join(' and ') }) };
  };
}

function isBroken({ values }: ColumnValues, { labels }: Columns): boolean {
  return values.includes(undefined) || labels.nameOf(values[0]!.trim()) === undefined;
}

function toExample(
  { values, line }: ColumnValues,
  { text, pair, labels, decode = (text) => text }: Columns,
  names: readonly string[],
  file: string,
): Example {
  const missing = values.indexOf(undefined);
  if (missing >= 0) throw dataError(file, line, `the row has no "${names[missing]}"`);
  const [written, ...texts] = values as string[];
  const label = labels.nameOf(written!.trim());
  if (label === undefined) {
    throw dataError(file, line, `expected ${labels.expects} as the label, found ${JSON.stringify(written)}`);
  }
  const parts = texts.map(decode);
  if (pair === undefined) return { text: joined(parts), label, line };
  return { text: joined(parts.slice(0, text.length)), pair: parts[text.length]!, label, line };
}

function joined(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : parts.map((part) => part.trim()).join('\n');
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString('en-US')} ${noun}${n === 1 ? '' : 's'}`;
}
