import { SesdError } from '../../errors.ts';
import type { Example } from '../example.ts';

/** Which columns to read, as the user named them: a column's name, or its 0-based position in csv and tsv. */
export interface ColumnRequest {
  /** `--text`: the text, or the first of a pair. */
  text?: string;
  /** `--text-pair`: the second text. */
  textPair?: string;
  /** `--label`. */
  label?: string;
  /** Whether every row must have a label, as in a file to train or evaluate on. Default true. */
  requireLabel?: boolean;
}

/** The columns that were read: names where the file has a header, else 0-based positions. */
export interface Columns {
  text: string;
  textPair?: string;
  label?: string;
}

export interface ReadResult {
  examples: Example[];
  columns: Columns;
}

/** A file format of examples. */
export interface Format {
  /** File name extensions, lower-case, with the dot. */
  extensions: readonly string[];
  /**
   * Reads the examples of a file.
   * @param source the file's text in UTF-8, without byte order mark, each chunk ending at a line's end
   * @param file the file's name, for messages
   * @throws SesdError SESD_BAD_DATA naming file and line
   */
  read(source: AsyncIterable<Buffer>, file: string, request: ColumnRequest): Promise<ReadResult>;
}

/** A data error at a place: `file:line: message`. */
export function dataError(
  file: string,
  line: number | undefined,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): SesdError {
  const place = line === undefined ? file : `${file}:${line}`;
  return new SesdError('SESD_BAD_DATA', `${place}: ${message}`, options);
}
