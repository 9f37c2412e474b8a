import { dataError } from '../format.ts';
import type { Column } from './footer.ts';

interface Place {
  file: string;
  line: number;
}

/** @throws SesdError SESD_BAD_DATA when the value is no string */
export function textOf(value: unknown, { name }: Column, { file, line }: Place): string {
  if (typeof value === 'string') return value;
  throw dataError(file, line, `"${name}": expected a string, found ${kindOf(value)}`);
}

/**
 * The label as it is written in the other formats, or the name of its class where the file has names for numbers.
 * @returns undefined where there is none: null, not a number, an empty string, or −1 for a class
 * @throws SesdError SESD_BAD_DATA when the value is of another kind, or no class of those the file names
 */
export function labelOf(value: unknown, { name, classNames }: Column, place: Place): string | undefined {
  if (value === null || value === undefined || Number.isNaN(value)) return undefined;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return String(value).trim() || undefined;
    case 'number':
    case 'bigint':
      return classNames === undefined ? String(value) : className(Number(value), name, classNames, place);
    default:
      throw dataError(
        place.file,
        place.line,
        `"${name}": expected a string, number or boolean, found ${kindOf(value)}`,
      );
  }
}

/** What Hugging Face datasets writes for a row without a label. */
const UNLABELLED = -1;

function className(
  index: number,
  column: string,
  names: readonly string[],
  { file, line }: Place,
): string | undefined {
  if (index === UNLABELLED) return undefined;
  const name = names[index]?.trim();
  if (name) return name;
  throw dataError(file, line, `"${column}": ${index} is none of its ${names.length} classes`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Uint8Array) return 'bytes that are not UTF-8';
  if (value instanceof Date) return 'a date';
  return typeof value === 'boolean' ? 'a boolean' : 'a number';
}
