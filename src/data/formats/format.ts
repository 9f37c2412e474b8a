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
  /** The classes in the order of their ids, where the file says it: what Hugging Face datasets calls a ClassLabel. */
  classNames?: readonly string[];
}

/** A file format of examples. */
export interface Format {
  /** File name extensions, lower-case, with the dot. */
  extensions: readonly string[];
  /**
   * Reads the examples of a file.
   * @throws SesdError SESD_BAD_DATA naming file and line
   */
  read(source: Source, request: ColumnRequest): Promise<ReadResult>;
}

/** A file, or bytes that come from elsewhere. */
export interface Source {
  /** Its name, for messages: "--train data.csv". */
  file: string;
  /** Its bytes in their order, to be read once. */
  bytes: AsyncIterable<Buffer>;
  /** Where it lies, for formats that are not read from one end to the other; absent for a pipe. */
  path?: string;
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
