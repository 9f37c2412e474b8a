import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';

/**
 * Protobuf's wire format, where the generated code is not enough: a check of untrusted bytes before they
 * are parsed, and the pieces a file is written in (write.ts).
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Bytes that are not a message of the expected type. `offset` is where that shows. */
export class WireError extends Error {
  readonly offset: number;
  readonly truncated: boolean;

  constructor(message: string, offset: number, truncated = false) {
    super(message);
    this.offset = offset;
    this.truncated = truncated;
  }
}

/**
 * The parser makes an object of every message and a boxed number of every integer, so a small file of tiny
 * fields could fill the memory. A large transformer has some hundred thousand fields.
 */
const MAX_FIELDS = 2_000_000;
const MAX_DEPTH = 100;

type FieldKind = { wire: number; name: string; message?: MessageKind; packable: boolean };
type MessageKind = Map<number, FieldKind>;

const kinds = new WeakMap<DescMessage, MessageKind>();

function kindOf(schema: DescMessage): MessageKind {
  let kind = kinds.get(schema);
  if (kind === undefined) {
    kind = new Map();
    kinds.set(schema, kind); // before its fields: messages are recursive
    for (const field of schema.fields) kind.set(field.number, fieldKind(field));
  }
  return kind;
}

function fieldKind(field: DescField): FieldKind {
  if (field.message !== undefined) {
    return {
      wire: LENGTH_DELIMITED,
      name: field.name,
      message: kindOf(field.message),
      packable: false,
    };
  }
  const scalar = field.scalar ?? ScalarType.INT32;
  let wire = VARINT;
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) wire = LENGTH_DELIMITED;
  else if (scalar === ScalarType.FLOAT) wire = FIXED32;
  else if (scalar === ScalarType.DOUBLE) wire = FIXED64;
  return { wire, name: field.name, packable: field.fieldKind === 'list' && wire !== LENGTH_DELIMITED };
}

/**
 * Checks that `bytes` are a well-formed message of this type with a sane number of fields, without
 * allocating anything. Throws WireError. After it, parsing cannot run out of bounds, recurse deeply or
 * allocate more than a small multiple of `bytes`.
 */
export function checkMessage(schema: DescMessage, bytes: Uint8Array): void {
  let fields = 0;
  let at = 0;

  const count = (more: number): void => {
    fields += more;
    if (fields > MAX_FIELDS) throw new WireError(`more than ${MAX_FIELDS} fields`, at);
  };

  const varint = (end: number): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (at >= end) throw new WireError('ends inside a number', at, end === bytes.length);
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new WireError('a number of more than 10 bytes', at);
  };

  const message = (kind: MessageKind, end: number, depth: number): void => {
    if (depth > MAX_DEPTH) throw new WireError(`messages nested more than ${MAX_DEPTH} deep`, at);
    while (at < end) {
      const start = at;
      const tag = varint(end);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number === 0 || tag >= 2 ** 32) throw new WireError(`field number ${number}`, start);
      count(1);
      const field = kind.get(number);
      const packed = field?.packable === true && wire === LENGTH_DELIMITED;
      if (field !== undefined && wire !== field.wire && !packed) {
        throw new WireError(`field ${field.name} with wire type ${wire} instead of ${field.wire}`, start);
      }
      if (wire === VARINT) varint(end);
      else if (wire === FIXED32) at += 4;
      else if (wire === FIXED64) at += 8;
      else if (wire === LENGTH_DELIMITED) {
        const length = varint(end);
        const stop = at + length;
        if (stop > end) {
          throw new WireError(`${length} bytes announced, ${end - at} left`, start, end === bytes.length);
        }
        if (field?.message !== undefined) message(field.message, stop, depth + 1);
        else if (packed) count(length);
        at = stop;
      } else throw new WireError(`wire type ${wire}`, start);
      if (at > end) throw new WireError('ends inside a field', start, end === bytes.length);
    }
  };

  message(kindOf(schema), bytes.length, 0);
}

/**
 * Decodes packed varints into little-endian elements of `size` bytes, dropping higher bits (negative
 * integers are written with all 64). Returns how many there were, of which those that fit are written;
 * −1 when the last is cut short.
 */
export function decodeVarints(chunks: readonly Uint8Array[], out: Uint8Array, size: number): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let count = 0;
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      let low = 0;
      let high = 0;
      let shift = 0;
      for (;;) {
        if (at >= chunk.length || shift > 63) return -1;
        const byte = chunk[at++]!;
        const bits = byte & 0x7f;
        if (shift < 32) low |= bits << shift;
        if (shift > 24) high |= shift < 32 ? bits >>> (32 - shift) : bits << (shift - 32);
        shift += 7;
        if (byte < 0x80) break;
      }
      const offset = count++ * size;
      if (offset >= out.length) continue;
      if (size === 8) {
        view.setInt32(offset, low, true);
        view.setInt32(offset + 4, high, true);
      } else if (size === 4) view.setInt32(offset, low, true);
      else if (size === 2) view.setInt16(offset, low, true);
      else view.setInt8(offset, low);
    }
  }
  return count;
}

/** Part of a message to be written: bytes, or elements that come when their turn does. */
export type Piece = Uint8Array | Deferred;

/** Bytes of which only the length is known until they are written. */
export interface Deferred {
  /** Name of the tensor they are the elements of. */
  name: string;
  byteLength: number;
}

/** A message, or fields of one, as the bytes to be written one after the other. */
export class Pieces {
  readonly parts: Piece[] = [];
  byteLength = 0;

  add(piece: Piece): this {
    if (piece.byteLength > 0 || !(piece instanceof Uint8Array)) {
      this.parts.push(piece);
      this.byteLength += piece.byteLength;
    }
    return this;
  }

  /** A length-delimited field. */
  field(number: number, content: Piece | Pieces): this {
    this.add(header(number, content.byteLength));
    if (!(content instanceof Pieces)) return this.add(content);
    for (const part of content.parts) this.parts.push(part);
    this.byteLength += content.byteLength;
    return this;
  }
}

function header(field: number, length: number): Uint8Array {
  if (length >= 2 ** 31) {
    throw new SesdError('SESD_OUTPUT', `an ONNX file cannot hold ${length} bytes: protobuf ends at 2 GB`);
  }
  const bytes: number[] = [];
  for (let rest of [field * 8 + LENGTH_DELIMITED, length]) {
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}
