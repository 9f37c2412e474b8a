import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { bytesOf, readable } from './file.ts';
import { csv } from './formats/csv.ts';
import {
  type ColumnRequest,
  dataError,
  type Format,
  type ReadResult,
  type Source,
} from './formats/format.ts';
import { jsonl } from './formats/jsonl.ts';
import { parquet } from './formats/parquet/parquet.ts';
import { tsv } from './formats/tsv.ts';

const formats: readonly Format[] = [csv, tsv, jsonl, parquet];

export type { ColumnRequest, Columns, ReadResult } from './formats/format.ts';

/** Extensions of the files that can be read, e.g. ".csv". */
export const dataExtensions: readonly string[] = formats.flatMap((format) => format.extensions);

/** Options of readExamples. */
export interface ReadOptions extends ColumnRequest {
  /** The flag the file came from, for messages, e.g. "--train". */
  flag?: string;
}

/**
 * Reads labelled texts or pairs from a file; its extension says the format: csv, tsv, jsonl (or ndjson), parquet.
 *
 * Columns are those asked for; else those with usual names (text, sentence, sentence1 and sentence2, premise and
 * hypothesis, …; label, class, category, …, in any case); else, in csv and tsv files without a header, text first
 * and label last, of three columns text, second text, label. White space around a label does not count.
 * @throws SesdError SESD_BAD_DATA naming the flag, the file and the line
 */
export async function readExamples(path: string, options: ReadOptions = {}): Promise<ReadResult> {
  const file = options.flag ? `${options.flag} ${path}` : path;
  // A missing file or a folder is said to be one, whatever its extension.
  const found = await stat(path).catch((error) => {
    throw readable(error, file);
  });
  if (found.isDirectory()) {
    throw dataError(file, undefined, 'a folder, expected a file', {
      hint: `Name a file in it: ${dataExtensions.join(', ')}.`,
    });
  }
  return readExamplesFrom({ file, bytes: bytesOf(path), path }, extname(path), options);
}

/**
 * Reads examples from a source, as standard input is one.
 * @param extension that says the format, e.g. ".jsonl"
 * @throws SesdError SESD_BAD_DATA naming the file and the line
 */
export async function readExamplesFrom(
  source: Source,
  extension: string,
  request: ColumnRequest = {},
): Promise<ReadResult> {
  const format = formatOf(source.file, extension);
  try {
    return await format.read(source, request);
  } catch (error) {
    throw readable(error, source.file);
  }
}

function formatOf(file: string, extension: string): Format {
  const wanted = extension.toLowerCase();
  const format = formats.find((each) => each.extensions.includes(wanted));
  if (format) return format;
  const known = `Known are ${dataExtensions.join(', ')}.`;
  if (wanted === '.json') {
    throw dataError(file, undefined, 'a .json file, expected one JSON object a line', {
      hint: `Make an array one object a line: jq -c '.[]' data.json > data.jsonl. ${known}`,
    });
  }
  const found = wanted === '' ? 'no extension' : `unknown extension "${extension}"`;
  throw dataError(file, undefined, `${found}, so the format is not known`, { hint: known });
}
