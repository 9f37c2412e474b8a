import type { FileHandle } from 'node:fs/promises';
import { type FileMetaData, parquetMetadata, type RowGroup, type SchemaElement } from 'hyparquet';
import { dataError } from '../format.ts';
import { checkStruct } from './thrift.ts';

/** A column of the table; nested ones stand there by name only. */
export interface Column {
  name: string;
  /** Its place among the chunks of a row group; undefined for a column of lists, structs or maps. */
  leaf: number | undefined;
  element: SchemaElement;
  /** Names of its classes, where it holds their indices: what Hugging Face datasets calls a ClassLabel. */
  classNames: readonly string[] | undefined;
}

/** What a Parquet file says of itself, at its end. */
export interface Footer {
  columns: readonly Column[];
  rowGroups: readonly RowGroup[];
}

const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
/** The footer's length and the magic number after it. */
const TAIL = 8;

/**
 * @param size of the file
 * @throws SesdError SESD_BAD_DATA when the file is not Parquet
 */
export async function readFooter(handle: FileHandle, size: number, file: string): Promise<Footer> {
  const fail = (what: string, hint?: string) =>
    dataError(file, undefined, what, { hint: hint ?? 'Copy or download it again.' });
  if (size === 0) throw fail('the file is empty');
  const tail = await readAt(handle, Math.max(0, size - TAIL), Math.min(size, TAIL));
  const magic = Buffer.from(tail.subarray(-4)).toString('latin1');
  if (magic === ENCRYPTED_MAGIC) throw fail('the Parquet file is encrypted', 'Save it without encryption.');
  if (magic !== MAGIC) throw fail('not a Parquet file, or cut short: it does not end in PAR1');
  const length = size < TAIL + 4 ? Number.POSITIVE_INFINITY : new DataView(tail.buffer).getUint32(0, true);
  if (length > size - TAIL) {
    throw fail(`a damaged Parquet file: its footer claims ${length} bytes, the file has ${size}`);
  }
  const bytes = await readAt(handle, size - TAIL - length, length + TAIL);
  try {
    checkStruct(bytes.subarray(0, length), 0);
    const metadata = parquetMetadata(bytes, { geoparquet: false });
    return { columns: columnsOf(metadata), rowGroups: metadata.row_groups };
  } catch (cause) {
    throw dataError(file, undefined, `a damaged Parquet file: its footer: ${(cause as Error).message}`, {
      hint: 'Copy or download it again.',
      cause,
    });
  }
}

/** Reads exactly `length` bytes, which the caller has found in the file. */
export async function readAt(
  handle: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error('the file became shorter');
    done += bytesRead;
  }
  return bytes;
}

/** The schema is a tree in depth-first order; the root's children are the columns. */
function columnsOf({ schema, key_value_metadata }: FileMetaData): Column[] {
  const classes = classNames(key_value_metadata?.find(({ key }) => key === 'huggingface')?.value);
  const columns: Column[] = [];
  let at = 1;
  let leaves = 0;
  while (at < schema.length) {
    const element = schema[at]!;
    if (element.name === undefined) throw new Error('the schema has a column without a name');
    const flat = isLeaf(element) && element.repetition_type !== 'REPEATED';
    columns.push({
      name: element.name,
      leaf: flat ? leaves : undefined,
      element,
      classNames: flat ? classes.get(element.name) : undefined,
    });
    for (let pending = 1; pending > 0; pending--, at++) {
      const inner = schema[at];
      if (inner === undefined) throw new Error('the schema has fewer elements than it says');
      if (isLeaf(inner)) leaves++;
      else pending += childrenOf(inner);
    }
  }
  if (columns.length !== childrenOf(schema[0]!)) throw new Error('the schema has more elements than it says');
  return columns;
}

const isLeaf = ({ type }: SchemaElement) => type !== undefined;

function childrenOf({ num_children = 0 }: SchemaElement): number {
  if (num_children < 0) throw new Error(`the schema has an element with ${num_children} children`);
  return num_children;
}

/** The names of ClassLabel columns in what Hugging Face datasets writes beside the schema. */
function classNames(json: string | undefined): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  if (json === undefined) return found;
  let description: { info?: { features?: Record<string, { names?: unknown } | null> | null } | null } | null;
  try {
    description = JSON.parse(json);
  } catch {
    return found; // others may use the key for what they like
  }
  for (const [column, feature] of Object.entries(description?.info?.features ?? {})) {
    const names = feature?.names;
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) found.set(column, names);
  }
  return found;
}
