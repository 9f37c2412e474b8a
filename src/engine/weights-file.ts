import { type FileHandle, open } from 'node:fs/promises';
import { SesdError } from '../errors.ts';
import type { NamedArray, Parameter } from './engine.ts';

interface TensorEntry {
  dtype: 'F32';
  shape: readonly number[];
  data_offsets: readonly [number, number];
}

/** Bytes of a file that writeWeightsFile writes. */
export function weightsFileSize(parameters: readonly Parameter[]): number {
  return encodeHeader(parameters).length + parameters.reduce((sum, { size }) => sum + 4 * size, 0);
}

/**
 * Writes one set of arrays as a safetensors file and flushes it to the disk. Only one array is in memory at
 * a time. Format: 8 bytes length of the header, little-endian; the header as JSON; the data.
 * @param values in the order of `parameters`
 * @param onPiece sees the file piece by piece, each while it is being written, as for a digest
 */
export async function writeWeightsFile(
  path: string,
  parameters: readonly Parameter[],
  values: AsyncIterable<NamedArray>,
  onPiece: (bytes: Uint8Array) => void = () => {},
): Promise<void> {
  const header = encodeHeader(parameters);
  const file = await open(path, 'wx');
  try {
    await writeAll(file, header, onPiece);
    for await (const { data } of values)
      await writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), onPiece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Reads what writeWeightsFile wrote for the same parameters.
 * @throws SesdError SESD_CHECKPOINT when the file is not that
 */
export async function* readWeightsFile(
  path: string,
  parameters: readonly Parameter[],
): AsyncGenerator<NamedArray> {
  const header = encodeHeader(parameters);
  const file = await open(path, 'r').catch((cause) => {
    throw new SesdError('SESD_CHECKPOINT', `${path} cannot be read: ${cause.message}`, { cause });
  });
  try {
    const expected = weightsFileSize(parameters);
    const { size: found } = await file.stat();
    const start = new Uint8Array(Math.min(header.length, found));
    await readAll(file, start, path);
    if (found !== expected || !header.equals(start)) {
      throw new SesdError(
        'SESD_CHECKPOINT',
        `${path} does not hold the ${parameters.length} tensors of this model: expected ${expected} bytes, found ${found}.`,
        {
          hint: 'It is damaged, or another model was trained. Resume from another checkpoint or start anew.',
        },
      );
    }
    for (const { name, size } of parameters) {
      const data = new Float32Array(size);
      await readAll(file, new Uint8Array(data.buffer), path);
      yield { name, data };
    }
  } finally {
    await file.close();
  }
}

function encodeHeader(parameters: readonly Parameter[]): Buffer {
  const entries: Record<string, TensorEntry> = {};
  let offset = 0;
  for (const { name, dims, size } of parameters) {
    entries[name] = { dtype: 'F32', shape: dims, data_offsets: [offset, offset + 4 * size] };
    offset += 4 * size;
  }
  const json = JSON.stringify(entries);
  // The format's readers want the data aligned; spaces after the JSON are allowed for that.
  const body = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const header = Buffer.alloc(8 + body.length);
  header.writeBigUInt64LE(BigInt(body.length));
  body.copy(header, 8);
  return header;
}

async function writeAll(
  file: FileHandle,
  bytes: Uint8Array,
  onPiece: (bytes: Uint8Array) => void,
): Promise<void> {
  for (let done = 0; done < bytes.length; done += PIECE) {
    const piece = bytes.subarray(done, done + PIECE);
    const writing = file.writeFile(piece); // at the handle's position, and all of it
    onPiece(piece);
    await writing;
  }
}

async function readAll(file: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, MAX_READ));
    if (bytesRead === 0) throw new SesdError('SESD_CHECKPOINT', `${path} ends too early.`);
    done += bytesRead;
  }
}

/** Bytes that are handed over at a time: few enough that who looks at them does not hold up the event loop. */
const PIECE = 4 * 2 ** 20;
/** Below what one call may read. */
const MAX_READ = 2 ** 30;
