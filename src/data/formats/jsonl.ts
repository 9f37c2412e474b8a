import type { Example } from '../example.ts';
import { columnsByName } from './columns.ts';
import { type ColumnRequest, type Columns, dataError, type Format } from './format.ts';
import { readLines } from './lines.ts';
import { utf8Lines } from './utf8.ts';

const arrayHint = "Make a JSON array one object a line: jq -c '.[]' data.json > data.jsonl";

/** One JSON object a line. Columns are the keys of the first object. */
export const jsonl: Format = {
  extensions: ['.jsonl', '.ndjson'],
  async read({ bytes, file }, request) {
    const examples: Example[] = [];
    let columns: Columns | undefined;
    for await (const { object, line } of readObjects(utf8Lines(bytes, file), file)) {
      columns ??= resolve(Object.keys(object), request, { file, line });
      examples.push(toExample(object, line, columns, file, request.requireLabel ?? true));
    }
    if (!columns) throw dataError(file, undefined, 'the file is empty');
    return { examples, columns };
  },
};

/**
 * The objects of a file with one a line; blank lines are skipped.
 * @param source UTF-8, each chunk ending at a line's end
 * @throws SesdError SESD_BAD_DATA naming the line that is no object
 */
export async function* readObjects(
  source: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<{ object: Record<string, unknown>; line: number }> {
  for await (const { text, line } of readLines(source)) yield { object: parseObject(text, line, file), line };
}

function parseObject(text: string, line: number, file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const array = line === 1 && text.trimStart().startsWith('[');
    const hint = array ? arrayHint : 'Each line must be one whole JSON object.';
    throw dataError(file, line, `not valid JSON: ${(cause as Error).message}`, { hint, cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  const hint = Array.isArray(value) ? arrayHint : 'Each line must be like {"text": "...", "label": "..."}.';
  throw dataError(file, line, `expected a JSON object, found ${kind(value)}`, { hint });
}

function resolve(keys: string[], request: ColumnRequest, place: { file: string; line: number }): Columns {
  const { text, pair, label } = columnsByName(keys, request, place);
  return {
    text: keys[text] ?? '',
    ...(pair === undefined ? {} : { textPair: keys[pair] ?? '' }),
    ...(label === undefined ? {} : { label: keys[label] ?? '' }),
  };
}

function toExample(
  object: Record<string, unknown>,
  line: number,
  columns: Columns,
  file: string,
  requireLabel: boolean,
): Example {
  const text = (key: string): string => {
    const value = object[key];
    if (typeof value === 'string') return value;
    const found = Object.hasOwn(object, key) ? kind(value) : 'no such key';
    throw dataError(file, line, `"${key}": expected a string, found ${found}`);
  };
  const example: Example = { text: text(columns.text), line };
  if (columns.textPair !== undefined) example.pair = text(columns.textPair);
  if (columns.label === undefined) return example;

  const value = object[columns.label];
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    const label = String(value).trim();
    if (label !== '') return { ...example, label };
  } else if (value !== null && value !== undefined) {
    throw dataError(
      file,
      line,
      `"${columns.label}": expected a string, number or boolean, found ${kind(value)}`,
    );
  }
  if (requireLabel) throw dataError(file, line, `"${columns.label}": the label is missing`);
  return example;
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
