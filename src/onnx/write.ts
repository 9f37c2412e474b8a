import { basename } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';
import { outputError, PendingFile } from './atomic-write.ts';
import { encodeModel, having, plannableTensors } from './encode.ts';
import { tensorsOf } from './external.ts';
import { type ModelProto, StringStringEntryProtoSchema, type TensorProto } from './generated/onnx_pb.ts';
import { float32ToBfloat16, float32ToFloat16 } from './half.ts';
import type { OnnxModel } from './read.ts';
import { dataTypeOf, EXTERNAL, elementSize, isFloat, quote, tensorData, tensorLayout } from './tensor.ts';

export interface WriteOptions {
  /**
   * New elements, in any order, by name of the float initializer or of the Constant node's output they
   * belong to; tensors that do not come keep theirs. Rounded to the tensor's own type. An array is not read
   * after the next one is asked for.
   */
  weights?: AsyncIterable<NewWeights> | Iterable<NewWeights>;
  /** Bytes of elements from which they go to a file beside the model; protobuf's 2 GB by default. */
  inlineLimit?: number;
}

export interface NewWeights {
  name: string;
  data: Float32Array;
}

/** Leaves room below protobuf's limit for the graph itself. */
const INLINE_LIMIT = 1.9e9;
/** Smaller tensors stay in the model file, where runtimes can look at them. */
const SMALLEST_EXTERNAL = 1024;
/** Offsets are page-aligned so that runtimes can map the file into memory. */
const PAGE = 4096;

/**
 * Writes a model, its weights one by one, so that the whole is never in memory a second time. The files
 * appear under their names when they are complete, or not at all.
 *
 * Elements over 2 GB go to `<path>_data`, the name transformers.js and Optimum use.
 *
 * @returns The path of the external data file, if there is one.
 * @throws SesdError SESD_OUTPUT naming the path when it cannot be written.
 */
export async function writeModel(
  path: string,
  model: Pick<OnnxModel, 'proto' | 'external'>,
  { weights = [], inlineLimit = INLINE_LIMIT }: WriteOptions = {},
): Promise<{ dataPath: string | undefined }> {
  const streamed = streamedTensors(model.proto);
  const total = streamed.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const dataPath = total > inlineLimit ? `${path}_data` : undefined;
  const { fixed, slots } = layOut(model.proto, streamed, dataPath && basename(dataPath));

  const pending: PendingFile[] = [];
  let writing = path;
  try {
    const file = await PendingFile.create(path);
    pending.push(file);
    for (const { bytes, position } of fixed) await file.write(bytes, position);
    let data: PendingFile | undefined;
    if (dataPath !== undefined) {
      writing = dataPath;
      data = await PendingFile.create(dataPath);
      pending.unshift(data);
    }

    const put = async (slot: Slot, values?: Float32Array): Promise<void> => {
      const target = slot.outside ? data! : file;
      writing = target.path;
      let { position } = slot;
      for (const chunk of elementChunks(slot, values, model.external)) {
        await target.write(chunk, position);
        position += chunk.length;
      }
    };
    const unchanged = new Map(slots);
    for await (const { name, data: values } of weights) {
      const slot = slots.get(name);
      if (slot === undefined) throw new TypeError(`new weights for ${name}, which the model does not have`);
      await put(slot, values);
      unchanged.delete(name);
    }
    for (const slot of unchanged.values()) await put(slot);

    for (const each of pending) {
      writing = each.path;
      await each.close();
    }
    for (const each of pending) {
      writing = each.path;
      await each.commit();
    }
  } catch (error) {
    for (const each of pending) await each.discard();
    throw outputError(writing, error);
  }
  return { dataPath };
}

interface Streamed {
  name: string;
  tensor: TensorProto;
  byteLength: number;
}

interface Slot extends Streamed {
  /** Whether in the data file. */
  outside: boolean;
  /** First byte of the elements in their file. */
  position: number;
}

/** The tensors whose elements are written apart: weights, and what lies in files of the old model. */
function streamedTensors(model: ModelProto): Streamed[] {
  const streamed: Streamed[] = [];
  const planned = new Set<TensorProto>();
  for (const { name, tensor } of model.graph ? plannableTensors(model.graph) : []) {
    const dtype = dataTypeOf(tensor.dataType);
    if (tensor.dataLocation !== EXTERNAL && (dtype === undefined || !isFloat(dtype))) continue;
    streamed.push({ name, tensor, byteLength: tensorLayout(tensor).byteLength });
    planned.add(tensor);
  }
  for (const tensor of tensorsOf(model)) {
    if (tensor.dataLocation !== EXTERNAL || planned.has(tensor)) continue;
    throw new SesdError(
      'SESD_BAD_MODEL',
      `tensor ${quote(tensor.name)} of a nested graph or function lies in an external file, which cannot be written again`,
      { hint: 'Save the model without external data, or without nested graphs and functions.' },
    );
  }
  return streamed;
}

/** Where everything goes: the bytes that are fixed, and a slot for each streamed tensor. */
function layOut(
  model: ModelProto,
  streamed: readonly Streamed[],
  dataName: string | undefined,
): { fixed: { bytes: Uint8Array; position: number }[]; slots: Map<string, Slot> } {
  const byName = new Map(streamed.map((entry) => [entry.name, entry]));
  const slots = new Map<string, Slot>();
  let end = 0;
  const pieces = encodeModel(model, (tensor, name) => {
    const entry = byName.get(name);
    if (entry === undefined) return undefined;
    const { byteLength } = entry;
    const message = withoutElements(tensor);
    if (dataName === undefined || byteLength < SMALLEST_EXTERNAL) {
      return { message, rawData: { name, byteLength } };
    }
    const position = Math.ceil(end / PAGE) * PAGE;
    end = position + byteLength;
    slots.set(name, { ...entry, outside: true, position });
    return { message: pointingTo(message, dataName, position, byteLength) };
  });

  const fixed: { bytes: Uint8Array; position: number }[] = [];
  let position = 0;
  for (const part of pieces.parts) {
    if (part instanceof Uint8Array) fixed.push({ bytes: part, position });
    else slots.set(part.name, { ...byName.get(part.name)!, outside: false, position });
    position += part.byteLength;
  }
  return { fixed, slots };
}

function withoutElements(tensor: TensorProto): TensorProto {
  return having(tensor, {
    rawData: undefined,
    floatData: [],
    doubleData: [],
    int32Data: [],
    int64Data: [],
    uint64Data: [],
    externalData: [],
    dataLocation: undefined,
  });
}

function pointingTo(tensor: TensorProto, location: string, offset: number, length: number): TensorProto {
  const entries = Object.entries({ location, offset: String(offset), length: String(length) });
  return having(tensor, {
    dataLocation: EXTERNAL,
    externalData: entries.map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
}

/** Elements converted at a time: short enough not to hold up the event loop. */
const CHUNK = 2 ** 18;

function* elementChunks(
  { name, tensor, byteLength }: Streamed,
  values: Float32Array | undefined,
  external: ReadonlyMap<TensorProto, Uint8Array>,
): Generator<Uint8Array> {
  if (values === undefined) {
    yield tensorData(tensor, external).bytes;
    return;
  }
  const { dtype } = tensorLayout(tensor);
  if (!isFloat(dtype)) throw new TypeError(`new weights for ${name}, which holds ${dtype} elements`);
  if (values.length * elementSize[dtype] !== byteLength) {
    throw new RangeError(
      `${values.length} weights for ${name}, which has ${byteLength / elementSize[dtype]}`,
    );
  }
  for (let at = 0; at < values.length; at += CHUNK) {
    const chunk = values.subarray(at, at + CHUNK);
    if (dtype === 'float16') yield inFloat16(chunk, name);
    else if (dtype === 'bfloat16') yield float32ToBfloat16(chunk);
    else if (dtype === 'float64') yield new Uint8Array(Float64Array.from(chunk).buffer);
    else yield new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

/** The first float32 that float16 has no finite neighbour for. */
const BEYOND_FLOAT16 = 65520;

function inFloat16(values: Float32Array, name: string): Uint8Array {
  const beyond = values.find((value) => Math.abs(value) >= BEYOND_FLOAT16 && Number.isFinite(value));
  if (beyond === undefined) return float32ToFloat16(values);
  throw new SesdError('SESD_OUTPUT', `${quote(name)} has the weight ${beyond}, and float16 ends at 65504`, {
    hint: 'Write float32 instead: --resume DIR --export-dtype float32.',
  });
}
