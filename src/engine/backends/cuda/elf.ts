import { type FileHandle, open } from 'node:fs/promises';

/** What is read of a shared library of 64-bit Linux, without loading it. */
export interface SharedObject {
  /** Names of the libraries it is linked against. */
  needed: string[];
  /** Texts in one of its sections that the pattern finds, e.g. in `.rodata`. */
  find(section: string, pattern: RegExp): Promise<RegExpExecArray | null>;
}

interface Section {
  name: string;
  offset: number;
  size: number;
}

const HEADER = 64; // bytes of the file's header, and of each section's
const DT_NEEDED = 1n;

/** Looks into a library. Resolves to undefined when the file is none of 64-bit little-endian ELF, or is cut short. */
export async function withSharedObject<T>(
  path: string,
  use: (library: SharedObject) => Promise<T>,
): Promise<T | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const sections = await readSections(file);
    if (!sections) return undefined;
    const text = async (name: string) => {
      const section = sections.find((each) => each.name === name);
      return section ? await read(file, section.offset, section.size) : Buffer.alloc(0);
    };
    return await use({
      needed: neededLibraries(await text('.dynamic'), await text('.dynstr')),
      find: async (section, pattern) => pattern.exec((await text(section)).toString('latin1')),
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined; // an offset beyond the file
    throw error;
  } finally {
    await file.close();
  }
}

async function readSections(file: FileHandle): Promise<Section[] | undefined> {
  const header = await read(file, 0, HEADER);
  const isElf = header.subarray(0, 6).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]));
  if (!isElf) return undefined;
  const table = Number(header.readBigUInt64LE(0x28));
  const count = header.readUInt16LE(0x3c);
  const names = header.readUInt16LE(0x3e);
  const headers = await read(file, table, count * HEADER);
  const entry = (index: number) => ({
    name: headers.readUInt32LE(index * HEADER),
    offset: Number(headers.readBigUInt64LE(index * HEADER + 0x18)),
    size: Number(headers.readBigUInt64LE(index * HEADER + 0x20)),
  });
  const strings = await read(file, entry(names).offset, entry(names).size);
  return Array.from({ length: count }, (_, index) => {
    const { name, ...place } = entry(index);
    return { name: stringAt(strings, name), ...place };
  });
}

function neededLibraries(dynamic: Buffer, strings: Buffer): string[] {
  const needed: string[] = [];
  for (let at = 0; at + 16 <= dynamic.length; at += 16) {
    if (dynamic.readBigInt64LE(at) !== DT_NEEDED) continue;
    needed.push(stringAt(strings, Number(dynamic.readBigUInt64LE(at + 8))));
  }
  return needed;
}

function stringAt(strings: Buffer, start: number): string {
  const end = strings.indexOf(0, start);
  return strings.toString('latin1', start, end < 0 ? strings.length : end);
}

async function read(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  const { size: total } = await file.stat();
  if (offset + size > total) throw new RangeError('the file ends too early');
  const bytes = Buffer.alloc(size);
  await file.read(bytes, 0, size, offset);
  return bytes;
}
