/**
 * Thrift's compact protocol, which Parquet's footer and page headers are written in. hyparquet parses it and
 * allocates what the bytes claim, so they are walked before.
 */

/** A struct that is not one. */
export class ThriftError extends Error {}

/**
 * The parser makes a value of every field and element. A table of a thousand columns and a hundred row groups has
 * two million.
 */
const MAX_FIELDS = 2_000_000;
const MAX_DEPTH = 32;
const MAX_VARINT = 10;

/** Types of fields; of list elements too, but that booleans then take a byte. */
const type = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  struct: 12,
} as const;

/**
 * Checks that a struct begins at `start` and ends within the bytes, without allocating anything.
 * @returns where it ends
 * @throws ThriftError
 */
export function checkStruct(bytes: Uint8Array, start: number): number {
  let at = start;
  let fields = 0;

  const skip = (count: number): void => {
    at += count;
    if (at > bytes.length) throw new ThriftError(`it ends inside a value, at byte ${bytes.length}`);
  };
  const byte = (): number => {
    skip(1);
    return bytes[at - 1]!;
  };
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < MAX_VARINT; i++) {
      const part = byte();
      value += (part & 0x7f) * 2 ** (7 * i);
      if (part < 0x80) return value;
    }
    throw new ThriftError(`a number of more than ${MAX_VARINT} bytes, at byte ${at}`);
  };
  const count = (): void => {
    if (++fields > MAX_FIELDS) throw new ThriftError(`more than ${MAX_FIELDS} fields`);
  };

  const element = (kind: number, depth: number): void => {
    switch (kind) {
      case type.byte:
        skip(1);
        break;
      case type.i16:
      case type.i32:
      case type.i64:
        varint();
        break;
      case type.double:
        skip(8);
        break;
      case type.binary:
        skip(varint());
        break;
      case type.list:
        list(depth + 1);
        break;
      case type.struct:
        struct(depth + 1);
        break;
      default:
        throw new ThriftError(`a value of unknown type ${kind}, at byte ${at}`);
    }
  };
  const list = (depth: number): void => {
    if (depth > MAX_DEPTH) throw new ThriftError(`nested more than ${MAX_DEPTH} deep`);
    const header = byte();
    const kind = header & 0x0f;
    const size = header >> 4 === 15 ? varint() : header >> 4;
    if (size > bytes.length - at) throw new ThriftError(`a list of ${size} elements, at byte ${at}`);
    for (let i = 0; i < size; i++) {
      count();
      if (kind === type.true || kind === type.false) skip(1);
      else element(kind, depth);
    }
  };
  const struct = (depth: number): void => {
    if (depth > MAX_DEPTH) throw new ThriftError(`nested more than ${MAX_DEPTH} deep`);
    for (;;) {
      const header = byte();
      const kind = header & 0x0f;
      if (kind === type.stop) return;
      count();
      if (header >> 4 === 0) varint();
      if (kind !== type.true && kind !== type.false) element(kind, depth);
    }
  };

  struct(0);
  return at;
}
