import { Readable } from 'node:stream';
import { type CsvError, type Options, parse } from 'csv-parse';
import { dataError } from './format.ts';
import { MAX_LINE } from './utf8.ts';

/** One row of separated values. */
export interface Row {
  fields: string[];
  /** 1-based line the row starts on. */
  line: number;
}

/** How fields are separated, and quoted if they are. */
export interface Dialect {
  delimiter: ',' | '\t';
  quoted: boolean;
}

/**
 * Rows as csv-parse finds them, each with the line it starts on. Blank lines are skipped.
 * @throws SesdError SESD_BAD_DATA naming the line where quotes are wrong
 */
export async function* readRows(
  source: AsyncIterable<Buffer>,
  file: string,
  dialect: Dialect,
): AsyncGenerator<Row> {
  let line = 1; // of the row being parsed, or of blank lines before it
  const options: Options<Row, { record: string[]; raw: string }> = {
    delimiter: dialect.delimiter,
    quote: dialect.quoted ? '"' : null,
    escape: dialect.quoted ? '"' : null,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    raw: true,
    max_record_size: MAX_LINE,
    // Called as each row is parsed, so that `line` is also right when the parser then fails. csv-parse's own
    // count takes a CRLF inside quotes for two lines.
    on_record: ({ record, raw }) => {
      const start = line + blankLines(raw);
      line += lineEnds(raw);
      return { fields: record, line: start };
    },
  };
  const input = Readable.from(source);
  const parser = parse(options as unknown as Options); // whose types allow another row type only with `columns`
  input.once('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const row of parser as AsyncIterable<Row>) {
      if (row.fields.length > 1 || row.fields[0]?.trim() !== '') yield row;
    }
  } catch (error) {
    throw translate(error, line, file);
  } finally {
    input.destroy();
  }
}

const [LF, CR] = [10, 13];

function lineEnds(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === CR || (code === LF && text.charCodeAt(i - 1) !== CR)) count++;
  }
  return count;
}

function blankLines(raw: string): number {
  return lineEnds(raw.match(/^[\r\n]*/)?.[0] ?? '');
}

function translate(error: unknown, line: number, file: string): unknown {
  const { code, raw } = error as Partial<CsvError> & { raw?: string };
  const start = line + blankLines(raw ?? '');
  switch (code) {
    case 'CSV_MAX_RECORD_SIZE':
    case 'CSV_QUOTE_NOT_CLOSED':
      return dataError(file, start, 'a quote opened in this row is never closed', {
        hint: 'Close it, or write a quote inside a quoted field twice: "".',
      });
    case 'CSV_INVALID_CLOSING_QUOTE':
      return dataError(file, start, 'in this row a closing quote is followed by more text', {
        hint: 'Write a quote inside a quoted field twice: "He said ""hi""".',
      });
    case 'INVALID_OPENING_QUOTE':
      return dataError(file, start, 'a quote inside a field that is not quoted', {
        hint: 'Put the whole field in quotes and write the quote inside it twice: "a 15"" screen".',
      });
    default:
      return error;
  }
}
