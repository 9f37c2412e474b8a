import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { NodeFacts, SystemFacts } from './report.ts';

export function nodeFacts(required: string): NodeFacts {
  return { version: process.versions.node, executable: process.execPath, required };
}

export function systemFacts(): SystemFacts {
  return {
    platform: process.platform,
    arch: process.arch,
    name: systemName(),
    kernel: os.release(),
    libc: process.platform === 'linux' ? libcFacts() : null,
  };
}

function systemName(): string {
  if (process.platform !== 'linux') return os.version();
  const name = readText('/etc/os-release')?.match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1];
  return name ?? os.version();
}

/** Node's own report names the version of glibc, or musl's loader among the shared objects. */
function libcFacts(): SystemFacts['libc'] {
  const settings = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  settings.excludeNetwork = true; // looking up host names may take long
  const { header, sharedObjects } = settings.getReport() as unknown as {
    header: { glibcVersionRuntime?: string };
    sharedObjects: string[];
  };
  if (header.glibcVersionRuntime) return { name: 'glibc', version: header.glibcVersionRuntime };
  const loader = sharedObjects.find((file) => file.includes('/ld-musl-'));
  if (loader === undefined) return null;
  const told = spawnSync(loader, [], { encoding: 'utf8' }).stderr;
  return { name: 'musl', version: told?.match(/^Version (\S+)/m)?.[1] ?? null };
}

/** A file of the system, if it is there. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
