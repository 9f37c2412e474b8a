import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, sep, win32 } from 'node:path';
import { SesdError } from '../errors.ts';
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from './generated/onnx_pb.ts';
import { dataTypeOf, EXTERNAL, quote, tensorLayout } from './tensor.ts';

/** Every dense tensor of the model: initializers and attributes, also those of nested graphs and functions. */
export function* tensorsOf(model: ModelProto): Generator<TensorProto> {
  if (model.graph) yield* graphTensors(model.graph);
  for (const fn of model.functions) {
    yield* nodeTensors(fn.node);
    for (const attribute of fn.attributeProto) yield* attributeTensors(attribute);
  }
}

function* graphTensors(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  yield* nodeTensors(graph.node);
}

function* nodeTensors(nodes: readonly NodeProto[]): Generator<TensorProto> {
  for (const node of nodes) for (const attribute of node.attribute) yield* attributeTensors(attribute);
}

function* attributeTensors(attribute: AttributeProto): Generator<TensorProto> {
  if (attribute.t) yield attribute.t;
  yield* attribute.tensors;
  if (attribute.g) yield* graphTensors(attribute.g);
  for (const graph of attribute.graphs) yield* graphTensors(graph);
}

interface Region {
  tensor: TensorProto;
  /** Real path of the file. */
  file: string;
  location: string;
  offset: number;
  length: number;
}

/**
 * Reads the elements of every tensor that lies outside the model file, each region once.
 *
 * A model says by relative path where they lie. Only files that really are inside `folder` (the model's, with
 * links resolved) are opened: a model from elsewhere must not read what it likes.
 *
 * @throws SesdError SESD_BAD_MODEL naming tensor and file, before anything is allocated for it.
 */
export async function readExternal(model: ModelProto, folder: string): Promise<Map<TensorProto, Uint8Array>> {
  const regions: Region[] = [];
  const files = new Map<string, { file: string; size: number }>();
  for (const tensor of tensorsOf(model)) {
    const dtype = dataTypeOf(tensor.dataType);
    // Elements of types there is no use for are not read; who needs the tensor says so.
    if (tensor.dataLocation !== EXTERNAL || dtype === undefined || dtype === 'string') continue;
    regions.push(await locate(tensor, folder, files));
  }

  // Distinct regions do not overlap in any file an exporter writes; if they may, a small file could be
  // claimed over and over.
  const distinct = new Map(regions.map((region) => [key(region), region]));
  const claimed = [...distinct.values()].reduce((sum, region) => sum + region.length, 0);
  const present = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  if (claimed > present) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `the model's external tensors claim ${claimed} bytes of files that have ${present}: regions overlap`,
      { hint: 'Save the model again with its exporter.' },
    );
  }
  return readRegions(regions, distinct);
}

const key = (region: Region): string => `${region.file}\0${region.offset}\0${region.length}`;

async function readRegions(
  regions: readonly Region[],
  distinct: ReadonlyMap<string, Region>,
): Promise<Map<TensorProto, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  let handle: FileHandle | undefined;
  let opened: string | undefined;
  try {
    for (const [name, region] of distinct) {
      if (opened !== region.file) {
        await handle?.close();
        handle = await open(region.file, 'r');
        opened = region.file;
      }
      contents.set(name, await readRegion(handle!, region));
    }
  } finally {
    await handle?.close();
  }
  return new Map(regions.map((region) => [region.tensor, contents.get(key(region))!]));
}

async function readRegion(handle: FileHandle, region: Region): Promise<Uint8Array> {
  try {
    return await readFully(handle, region.offset, region.length);
  } catch (cause) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `cannot read ${region.length} bytes of ${region.location} for tensor ${quote(region.tensor.name)}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Bytes per read: small enough to leave the thread pool to others in between. */
const READ_SIZE = 64 * 2 ** 20;

/** Reads `length` bytes from `offset` into a new array; throws when the file ends before. */
export async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(READ_SIZE, length - done), offset + done);
    if (bytesRead === 0) throw new Error(`the file ended after ${offset + done} bytes`);
    done += bytesRead;
  }
  return bytes;
}

async function locate(
  tensor: TensorProto,
  folder: string,
  files: Map<string, { file: string; size: number }>,
): Promise<Region> {
  const entries = new Map(tensor.externalData.map((entry) => [entry.key, entry.value]));
  const location = entries.get('location') ?? '';
  const { byteLength } = tensorLayout(tensor);
  const known = files.get(location) ?? (await confined(tensor, location, folder));
  files.set(location, known);

  const offset = byteCount(tensor, 'offset', entries.get('offset') ?? '0');
  const length = byteCount(tensor, 'length', entries.get('length') ?? String(byteLength));
  if (length !== byteLength) {
    throw bad(tensor, `needs ${byteLength} bytes of elements, but its external data has ${length}`);
  }
  if (offset + length > known.size) {
    throw bad(
      tensor,
      `lies in ${location} at bytes ${offset} to ${offset + length}, but that file has ${known.size}`,
      'The data file is incomplete or belongs to another export; copy or download it again.',
    );
  }
  return { tensor, location, file: known.file, offset, length };
}

function byteCount(tensor: TensorProto, what: string, text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad(tensor, `has external data with the ${what} ${quote(text)}`);
  return value;
}

async function confined(
  tensor: TensorProto,
  location: string,
  folder: string,
): Promise<{ file: string; size: number }> {
  const steps = location.split(/[/\\]/);
  const escapes = isAbsolute(location) || win32.isAbsolute(location) || steps.includes('..');
  if (location === '' || location.includes('\0') || escapes || /^[A-Za-z]:/.test(location)) {
    throw bad(
      tensor,
      `lies in the file ${quote(location)}; expected a path inside the model's folder`,
      'A model may only read files beside it. Save it again with its data in the same folder.',
    );
  }
  let file: string;
  try {
    file = await realpath(join(folder, location));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw bad(
      tensor,
      missing
        ? `lies in the file ${quote(location)}, which is not in ${folder}`
        : `lies in the file ${quote(location)}: ${(cause as Error).message}`,
      'Copy the data file that was exported with the model into the same folder.',
    );
  }
  if (!file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    throw bad(
      tensor,
      `lies in ${quote(location)}, a link to ${file} outside the model's folder`,
      'A model may only read files of its own folder. Replace the link by the file (cp -L).',
    );
  }
  const stats = await stat(file);
  if (!stats.isFile()) throw bad(tensor, `lies in ${quote(location)}, which is not a file`);
  return { file, size: stats.size };
}

function bad(tensor: TensorProto, what: string, hint?: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `tensor ${quote(tensor.name)} ${what}`, {
    hint: hint ?? 'The file is damaged or was written by a broken exporter; download or export it again.',
  });
}
