import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a reader is let loose on: a folder's files and symbolic links, by their paths in it. */
export interface Case {
  files: Record<string, Uint8Array>;
  links?: Record<string, string>;
}

/** Writes a case into an empty folder; not asynchronously, which takes several times as long for small files. */
export function writeCase(folder: string, { files, links = {} }: Case): void {
  for (const [path, content] of Object.entries(files)) {
    makeFolder(folder, path);
    writeFileSync(join(folder, path), content);
  }
  for (const [path, target] of Object.entries(links)) {
    makeFolder(folder, path);
    symlinkSync(target, join(folder, path));
  }
}

function makeFolder(folder: string, path: string): void {
  const parent = dirname(path);
  if (parent !== '.') mkdirSync(join(folder, parent), { recursive: true });
}

/** Bytes of all its files. */
export function sizeOf({ files }: Case): number {
  return Object.values(files).reduce((sum, { length }) => sum + length, 0);
}

/** A case as JSON, to be kept: files in base64. */
export function caseToJson({ files, links }: Case): string {
  const stored = Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString('base64')]),
  );
  return `${JSON.stringify({ files: stored, ...(links && { links }) }, null, 1)}\n`;
}

export function caseFromJson(json: string): Case {
  const { files, links } = JSON.parse(json) as { files: Record<string, string>; links?: Case['links'] };
  const read = Object.entries(files).map(([path, text]) => [path, Buffer.from(text, 'base64')] as const);
  return { files: Object.fromEntries(read), ...(links && { links }) };
}
