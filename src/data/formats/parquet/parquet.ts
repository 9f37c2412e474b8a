import { type FileHandle, open } from 'node:fs/promises';
import { SesdError } from '../../../errors.ts';
import type { Example } from '../../example.ts';
import { columnsByName } from '../columns.ts';
import { type ColumnRequest, dataError, type Format, type ReadResult } from '../format.ts';
import { Allowance } from './allowance.ts';
import { readColumnChunk } from './column-chunk.ts';
import { type Column, type Footer, readFooter } from './footer.ts';
import { labelOf, textOf } from './values.ts';

/**
 * Parquet, as pandas, Hugging Face datasets, Spark and DuckDB write it: columns by the names in its schema. Lines are
 * rows. Only the columns asked for are read, one row group at a time.
 */
export const parquet: Format = {
  extensions: ['.parquet'],
  async read({ file, path }, request) {
    if (path === undefined) {
      throw dataError(
        file,
        undefined,
        'Parquet cannot be read from a pipe: what it holds is said at its end',
        {
          hint: 'Name the file.',
        },
      );
    }
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const footer = await readFooter(handle, size, file);
      return await readTable(handle, size, footer, file, request);
    } finally {
      await handle.close();
    }
  },
};

async function readTable(
  handle: FileHandle,
  size: number,
  { columns, rowGroups }: Footer,
  file: string,
  request: ColumnRequest,
): Promise<ReadResult> {
  const { text, pair, label } = chosen(columns, request, file);
  const allowance = new Allowance(file, size);
  const requireLabel = request.requireLabel ?? true;
  const examples: Example[] = [];
  for (const group of rowGroups) {
    const read = async (column: Column | undefined): Promise<unknown[] | undefined> => {
      if (column === undefined) return undefined;
      try {
        return await readColumnChunk(handle, size, column, group, allowance);
      } catch (cause) {
        if (cause instanceof SesdError) throw cause;
        throw dataError(file, undefined, `the column "${column.name}": ${(cause as Error).message}`, {
          hint: 'The file is damaged, or uses what is not supported here. Write it again with pandas, or as .jsonl.',
          cause,
        });
      }
    };
    const [texts, pairs, labels] = [(await read(text))!, await read(pair), await read(label)];
    for (let row = 0; row < texts.length; row++) {
      const place = { file, line: examples.length + 1 };
      const example: Example = { text: textOf(texts[row], text, place), line: place.line };
      if (pair) example.pair = textOf(pairs![row], pair, place);
      const name = label && labelOf(labels![row], label, place);
      if (name !== undefined) example.label = name;
      else if (label && requireLabel) {
        throw dataError(file, place.line, `"${label.name}": the label is missing`);
      }
      examples.push(example);
    }
  }
  if (examples.length === 0) throw dataError(file, undefined, 'columns and no rows');
  return {
    examples,
    columns: {
      text: text.name,
      ...(pair && { textPair: pair.name }),
      ...(label && { label: label.name }),
    },
    ...(label?.classNames && { classNames: label.classNames.map((name) => name.trim()) }),
  };
}

function chosen(
  columns: readonly Column[],
  request: ColumnRequest,
  file: string,
): { text: Column; pair: Column | undefined; label: Column | undefined } {
  const names = columns.map(({ name }) => name);
  const found = columnsByName(names, request, { file, line: undefined });
  const flat = (index: number): Column => {
    const column = columns[index]!;
    if (column.leaf !== undefined) return column;
    throw dataError(
      file,
      undefined,
      `the column "${column.name}" holds lists or records, expected one value a row`,
      {
        hint: 'Name other columns with --text and --label, or flatten this one.',
      },
    );
  };
  const optional = (index: number | undefined) => (index === undefined ? undefined : flat(index));
  return { text: flat(found.text), pair: optional(found.pair), label: optional(found.label) };
}
