import type { Example } from '../example.ts';
import { type ColumnIndices, columnsByName, columnsByPosition, isHeader, looksLikeName } from './columns.ts';
import { type ColumnRequest, type Columns, dataError, type ReadResult, type Source } from './format.ts';
import { type Dialect, type Row, readRows } from './rows.ts';
import { utf8Lines } from './utf8.ts';

/**
 * Reads examples from separated values.
 *
 * The first row is a header when a column is asked for by name, or when isHeader says so; see columns.ts for
 * how columns are then found. Blank lines are skipped; every other row must have as many fields as the first.
 */
export async function readDelimited(
  { bytes, file }: Source,
  request: ColumnRequest,
  dialect: Dialect,
): Promise<ReadResult> {
  const examples: Example[] = [];
  let first: Row | undefined;
  let header = false;
  let columns: ColumnIndices | undefined;

  for await (const row of readRows(utf8Lines(bytes, file), file, dialect)) {
    if (!first || !columns) {
      first = row;
      rejectOtherDelimiter(row, request, file, dialect);
      header = asksByName(request) || isHeader(row.fields);
      columns = header
        ? resolveHeader(row, request, file)
        : columnsByPosition(row.fields.length, request, { file, line: row.line });
      if (header) continue;
    }
    if (row.fields.length !== first.fields.length) throw wrongWidth(row, first, file, dialect);
    examples.push(toExample(row, columns, file, request));
  }
  if (!first || !columns) throw dataError(file, undefined, 'the file is empty');
  if (examples.length === 0) throw dataError(file, first.line, 'a header and no rows');
  if (!header && noneAsked(request)) rejectUnknownHeader(first, columns, examples, file);
  return { examples, columns: named(columns, header ? first.fields : undefined) };
}

function isPosition(value: string | undefined): boolean {
  return value !== undefined && /^\d+$/.test(value);
}

function asksByName({ text, textPair, label }: ColumnRequest): boolean {
  return [text, textPair, label].some((value) => value !== undefined && !isPosition(value));
}

function noneAsked({ text, textPair, label }: ColumnRequest): boolean {
  return text === undefined && textPair === undefined && label === undefined;
}

/** Positions are turned into names first, so that both may be mixed. */
function resolveHeader(row: Row, request: ColumnRequest, file: string): ColumnIndices {
  const place = { file, line: row.line };
  const width = row.fields.length;
  const byName: ColumnRequest = { ...request };
  for (const [key, flag] of [
    ['text', '--text'],
    ['textPair', '--text-pair'],
    ['label', '--label'],
  ] as const) {
    const value = request[key];
    if (value === undefined || !isPosition(value)) continue;
    const name = row.fields[Number(value)];
    if (name === undefined) {
      throw dataError(file, row.line, `${flag} ${value}: found ${width} columns, counted from 0`, {
        hint: `Give ${flag} a number from 0 to ${width - 1}, or a name from the header.`,
      });
    }
    byName[key] = name;
  }
  return columnsByName(row.fields, byName, place);
}

function toExample(row: Row, columns: ColumnIndices, file: string, request: ColumnRequest): Example {
  const example: Example = { text: row.fields[columns.text] ?? '', line: row.line };
  if (columns.pair !== undefined) example.pair = row.fields[columns.pair] ?? '';
  if (columns.label === undefined) return example;
  const label = (row.fields[columns.label] ?? '').trim();
  if (label !== '') example.label = label;
  else if (request.requireLabel ?? true) throw dataError(file, row.line, 'the label is empty');
  return example;
}

function wrongWidth(row: Row, first: Row, file: string, dialect: Dialect): Error {
  const [expected, found] = [first.fields.length, row.fields.length];
  const columns = expected === 1 ? 'column' : 'columns';
  const delimiter = dialect.delimiter === ',' ? 'comma' : 'tab';
  let hint = `Line ${first.line} has ${expected}; every row needs as many.`;
  if (found > expected && dialect.quoted) hint += ` Put a text that contains a ${delimiter} in quotes.`;
  return dataError(file, row.line, `expected ${expected} ${columns}, found ${found}`, { hint });
}

/** One column is too few where labels are needed; the reason is often another delimiter. */
function rejectOtherDelimiter(row: Row, request: ColumnRequest, file: string, dialect: Dialect): void {
  if (row.fields.length > 1 || !(request.requireLabel ?? true)) return;
  const [expected, others] = dialect.delimiter === ',' ? ['commas', ';\t'] : ['tabs', ',;'];
  const found = [...others].find((each) => row.fields[0]?.includes(each));
  if (found === undefined) return;
  const name = { ';': 'semicolons', ',': 'commas', '\t': 'tabs' }[found];
  throw dataError(file, row.line, `expected columns separated by ${expected}, found ${name}`, {
    hint:
      found === '\t'
        ? 'Name the file .tsv.'
        : found === ','
          ? 'Name the file .csv.'
          : 'Save it with commas, as .csv.',
  });
}

/**
 * A first row of single words whose label no other row has is rather a header with unusual names than an
 * example, and training on it would be a silent mistake.
 */
function rejectUnknownHeader(first: Row, columns: ColumnIndices, examples: Example[], file: string): void {
  const label = examples[0]?.label;
  if (columns.label === undefined || label === undefined || examples.length < 3) return;
  if (!first.fields.every(looksLikeName)) return;
  if (examples.some((example, index) => index > 0 && example.label === label)) return;
  const text = first.fields[columns.text];
  throw dataError(
    file,
    first.line,
    `cannot tell whether "${first.fields.join('", "')}" is a header or a row`,
    {
      hint: `If it is a header, name the columns: --text ${text} --label ${label}. If it is a row, give their positions: --text ${columns.text} --label ${columns.label}.`,
    },
  );
}

function named({ text, pair, label }: ColumnIndices, header: string[] | undefined): Columns {
  const name = (index: number) => header?.[index]?.trim() ?? `${index}`;
  return {
    text: name(text),
    ...(pair === undefined ? {} : { textPair: name(pair) }),
    ...(label === undefined ? {} : { label: name(label) }),
  };
}
