import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';
import { readExternal, readFully } from './external.ts';
import { type ModelProto, ModelProtoSchema, type TensorProto } from './generated/onnx_pb.ts';
import { sniff } from './sniff.ts';
import { within } from './tensor.ts';
import { checkMessage, WireError } from './wire.ts';

/** An ONNX file in memory. Elements of its tensors are views into the file's bytes. */
export interface OnnxModel {
  /** Path of the model file. */
  readonly path: string;
  readonly proto: ModelProto;
  /** Elements of the tensors that lie outside the model file. */
  readonly external: Map<TensorProto, Uint8Array>;
}

/** Protobuf's own limit; larger models keep their weights in external data. */
const MAX_FILE_SIZE = 2 ** 31 - 1;

/**
 * Reads an ONNX model and the external data it refers to.
 *
 * @param path A file, or a folder with model.onnx or onnx/model.onnx.
 * @throws SesdError SESD_BAD_MODEL when there is no such file, or it is not an ONNX model, or its external
 *   data is missing or outside its folder.
 */
export async function readModel(path: string): Promise<OnnxModel> {
  const file = await findModel(path);
  const bytes = await readBytes(file);
  const proto = parseModel(bytes, file);
  try {
    return { path: file, proto, external: await readExternal(proto, await realpath(dirname(file))) };
  } catch (error) {
    throw within(file, error);
  }
}

/**
 * A ModelProto from the bytes of a file.
 *
 * @param origin Name of the bytes in error messages.
 * @throws SesdError SESD_BAD_MODEL saying what the bytes look like when they are no ONNX model.
 */
export function parseModel(bytes: Uint8Array, origin: string): ModelProto {
  if (bytes.length === 0) throw notOnnx(origin, 'is empty');
  const looksLike = sniff(bytes);
  let proto: ModelProto;
  try {
    checkMessage(ModelProtoSchema, bytes);
    proto = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    if (looksLike !== undefined) throw notOnnx(origin, `is ${looksLike.what}`, looksLike.hint);
    if (cause instanceof WireError && cause.truncated && startsLikeModel(bytes)) {
      throw notOnnx(
        origin,
        `is cut short: ${cause.message} at byte ${cause.offset} of ${bytes.length}`,
        'Download or copy the file again.',
      );
    }
    throw notOnnx(origin, `is not an ONNX file (${(cause as Error).message})`);
  }
  if (proto.graph === undefined || (proto.irVersion <= 0n && proto.opsetImport.length === 0)) {
    throw notOnnx(origin, `is ${looksLike?.what ?? 'not an ONNX file: it has no graph'}`, looksLike?.hint);
  }
  return proto;
}

/** A ModelProto begins with its IR version in every writer there is: field 1, one byte. */
function startsLikeModel(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && (bytes[1] ?? 0) < 0x80;
}

function notOnnx(origin: string, what: string, hint?: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `${origin} ${what}; expected an ONNX model`, {
    hint:
      hint ??
      'Pass a .onnx file, for example from: optimum-cli export onnx --model bert-base-uncased --task feature-extraction FOLDER',
  });
}

async function findModel(path: string): Promise<string> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SesdError(
      'SESD_BAD_MODEL',
      cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
        ? `there is no ${path}`
        : `cannot read ${path}: ${cause.message}`,
      { hint: 'Give the path of an ONNX file, or of a folder that has model.onnx.', cause },
    );
  });
  if (stats.isFile()) return path;
  if (!stats.isDirectory()) {
    throw new SesdError('SESD_BAD_MODEL', `${path} is neither a file nor a folder`);
  }
  for (const candidate of [join(path, 'model.onnx'), join(path, 'onnx', 'model.onnx')]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile()) return candidate;
  }
  const names = (await readdir(path)).sort();
  const models = names.filter((name) => name.endsWith('.onnx'));
  const listed = names.slice(0, 10).join(', ') + (names.length > 10 ? `, … (${names.length} in all)` : '');
  throw new SesdError(
    'SESD_BAD_MODEL',
    `the folder ${path} has no model.onnx, nor onnx/model.onnx; it has ${listed || 'no files'}`,
    {
      hint:
        models.length > 0
          ? `Pass the file itself: ${join(path, models[0]!)}`
          : 'Export the model to ONNX first, for example: optimum-cli export onnx --model bert-base-uncased --task feature-extraction FOLDER',
    },
  );
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size > MAX_FILE_SIZE) {
        throw new SesdError(
          'SESD_BAD_MODEL',
          `${file} has ${size} bytes; an ONNX file ends at 2 GB (${MAX_FILE_SIZE})`,
          { hint: `Save ${basename(file)} with external data: onnx.save(…, save_as_external_data=True).` },
        );
      }
      return await readFully(handle, 0, size);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof SesdError) throw cause;
    throw new SesdError('SESD_BAD_MODEL', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
