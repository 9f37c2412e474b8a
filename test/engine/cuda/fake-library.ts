import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface FakeLibrary {
  /** Libraries it says it is linked against. */
  needed?: readonly string[];
  /** Text among its constants. */
  constant?: string;
  /** Version of its symbols. */
  symbolVersion?: string;
}

/** Writes a file that looks like a shared library of 64-bit Linux as far as its sections go. */
export function writeLibrary(
  file: string,
  { needed = [], constant = '', symbolVersion = '' }: FakeLibrary = {},
): string {
  const strings = Buffer.from(`\0${[...needed, symbolVersion].map((text) => `${text}\0`).join('')}`);
  const dynamic = Buffer.alloc(16 * (needed.length + 1)); // ends with a null entry
  needed.forEach((name, index) => {
    dynamic.writeBigInt64LE(1n, 16 * index);
    dynamic.writeBigUInt64LE(BigInt(strings.indexOf(`${name}\0`)), 16 * index + 8);
  });
  const contents: Record<string, Buffer> = {
    '': Buffer.alloc(0),
    '.dynstr': strings,
    '.dynamic': dynamic,
    '.rodata': Buffer.from(`some\0${constant}\0more`),
    '.shstrtab': Buffer.alloc(0),
  };
  const names = Object.keys(contents);
  contents['.shstrtab'] = Buffer.from(names.map((name) => `${name}\0`).join(''));
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const table = Buffer.alloc(64 * names.length);
  const body: Buffer[] = [];
  let offset = header.length;
  names.forEach((name, index) => {
    const bytes = contents[name]!;
    table.writeUInt32LE(contents['.shstrtab']!.indexOf(`${name}\0`), 64 * index);
    table.writeBigUInt64LE(BigInt(offset), 64 * index + 0x18);
    table.writeBigUInt64LE(BigInt(bytes.length), 64 * index + 0x20);
    body.push(bytes);
    offset += bytes.length;
  });
  header.writeBigUInt64LE(BigInt(offset), 0x28);
  header.writeUInt16LE(names.length, 0x3c);
  header.writeUInt16LE(names.indexOf('.shstrtab'), 0x3e);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Buffer.concat([header, ...body, table]));
  return file;
}
