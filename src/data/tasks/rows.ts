import { dataError } from '../formats/format.ts';
import { readObjects } from '../formats/jsonl.ts';
import { readLines } from '../formats/lines.ts';
import { readRows } from '../formats/rows.ts';

/** Some columns of one row of a published file. */
export interface ColumnValues {
  /** In the order the columns were asked for; undefined where the row has none. */
  values: (string | undefined)[];
  /** 1-based line the row starts on. */
  line: number;
}

/**
 * Reads columns of a file, by name.
 * @throws SesdError SESD_BAD_DATA naming the line, or the column the file does not have
 */
export type ReadColumns = (
  source: AsyncIterable<Buffer>,
  file: string,
  columns: readonly string[],
) => AsyncGenerator<ColumnValues>;

/** Comma-separated values with quoted fields and without a header. @param names of all columns */
export function csvColumns(names: readonly string[]): ReadColumns {
  return async function* (source, file, columns) {
    const indices = columns.map((column) => names.indexOf(column));
    for await (const { fields, line } of readRows(source, file, { delimiter: ',', quoted: true })) {
      if (fields.length !== names.length) {
        throw dataError(file, line, `expected the columns ${names.join(', ')}, found ${fields.length}`);
      }
      yield { values: indices.map((index) => fields[index]), line };
    }
  };
}

/**
 * Tab-separated values in which a quote is a character like any other. A row may have fewer fields than there are
 * columns, or more; it is read by position.
 * @param names of all columns where the file has no header
 */
export function tabColumns(names?: readonly string[]): ReadColumns {
  return async function* (source, file, columns) {
    let indices = names && columns.map((column) => names.indexOf(column));
    for await (const { text, line } of readLines(source)) {
      const fields = text.split('\t');
      if (indices) yield { values: indices.map((index) => fields[index]), line };
      else indices = indicesIn(fields, columns, { file, line });
    }
  };
}

function indicesIn(
  header: readonly string[],
  columns: readonly string[],
  { file, line }: { file: string; line: number },
): number[] {
  const names = header.map((name) => name.trim());
  return columns.map((column) => {
    const index = names.indexOf(column);
    if (index >= 0) return index;
    throw dataError(file, line, `no column "${column}"; the header is ${names.join(', ').slice(0, 200)}`);
  });
}

/** One JSON object a line; a column is a key, its value a string. */
export const jsonColumns: ReadColumns = async function* (source, file, columns) {
  for await (const { object, line } of readObjects(source, file)) {
    const values = columns.map((column) => object[column]);
    yield { values: values.map((value) => (typeof value === 'string' ? value : undefined)), line };
  }
};
