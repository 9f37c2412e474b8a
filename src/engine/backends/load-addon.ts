import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SesdError } from '../../errors.ts';
import type { NativeAddon } from '../contract.ts';

const require = createRequire(import.meta.url);

/** The package's folder: as far up from src/engine/backends as from dist/engine/backends. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const target = `${process.platform}-${process.arch}`;

let loaded: NativeAddon | undefined;

/** An addon: the build of a checkout, the one the package brought, or one built on this machine. */
export interface AddonFile {
  file: string;
  origin: 'checkout' | 'package' | 'cache';
}

/** Where the addon was looked for and found. */
export interface AddonFiles {
  loaded?: AddonFile;
  /** Those that are there and do not load. */
  refused: (AddonFile & { reason: string })[];
}

const files: AddonFiles = { refused: [] };

/** What loadAddon() has found up to now. */
export function addonFiles(): AddonFiles {
  return files;
}

/**
 * The native addon: the build of a checkout, else the one packed for this platform, else one built here once
 * into the user's cache folder, which takes a compiler and is announced on stderr.
 * @throws {SesdError} SESD_NATIVE_LOAD when there is none and none can be built.
 */
export function loadAddon(): NativeAddon {
  loaded ??= findAddon();
  return loaded;
}

function findAddon(): NativeAddon {
  if (onMusl()) {
    throw new SesdError(
      'SESD_NATIVE_LOAD',
      'this Node runs on musl libc (Alpine Linux), for which there is no ONNX Runtime',
      {
        hint: 'Use an image with glibc, such as node:20-slim.',
      },
    );
  }
  // One that is there may still not load, say because it was built for a newer system: then the next is tried.
  let failure: unknown;
  for (const place of presentAddons()) {
    try {
      return open(place);
    } catch (error) {
      failure = error;
      files.refused.push({ ...place, reason: reason(error) });
    }
  }
  const cached = cachedAddon();
  build(cached.file, failure);
  try {
    return open(cached);
  } catch (error) {
    throw new SesdError(
      'SESD_NATIVE_LOAD',
      `the native addon ${cached.file} cannot be loaded: ${reason(error)}`,
      { cause: error },
    );
  }
}

/** The addons there are, in the order they are tried. */
export function presentAddons(): AddonFile[] {
  const places: AddonFile[] = [
    { file: path.join(root, 'build', 'Release', 'sesd.node'), origin: 'checkout' },
    { file: path.join(root, 'prebuilds', target, 'sesd.node'), origin: 'package' },
    cachedAddon(),
  ];
  return places.filter(({ file }) => existsSync(file));
}

function cachedAddon(): AddonFile {
  return { file: path.join(cacheFolder(), 'sesd.node'), origin: 'cache' };
}

function open(place: AddonFile): NativeAddon {
  const addon = require(place.file) as NativeAddon;
  files.loaded = place;
  return addon;
}

/** Builds in a folder of its own and moves the result into place, as other processes may do the same. */
function build(file: string, failure: unknown): void {
  process.stderr.write(
    `sesd-train: building the native addon for ${target} once, into ${path.dirname(file)}\n`,
  );
  const folder = path.join(path.dirname(file), `build-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new SesdError('SESD_NATIVE_LOAD', `cannot build the native addon: ${reason(error)}`, {
      hint: 'Set XDG_CACHE_HOME to a folder that can be written.',
      cause: error,
    });
  }
  const run = spawnSync(process.execPath, [path.join(root, 'native', 'build.mjs'), folder], {
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    // Keep the compiler's output, not what it made.
    const kept = path.dirname(file);
    const log = path.join(folder, 'build.log');
    if (existsSync(log)) renameSync(log, path.join(kept, 'build.log'));
    rmSync(folder, { recursive: true, force: true });
    const told = run.stderr
      ?.trim()
      .replace(/^sesd-train: /, '')
      .replace(folder, kept);
    throw new SesdError('SESD_NATIVE_LOAD', told || `the build ended with ${run.signal ?? run.status}`, {
      cause: failure ?? run.error,
    });
  }
  renameSync(path.join(folder, 'Release', 'sesd.node'), file);
  rmSync(folder, { recursive: true, force: true });
}

/** Where an addon that is built on this machine is kept. */
export function cacheFolder(): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const base =
    process.env.XDG_CACHE_HOME ??
    (process.platform === 'win32'
      ? (process.env.LOCALAPPDATA ?? path.join(homedir(), 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? path.join(homedir(), 'Library', 'Caches')
        : path.join(homedir(), '.cache'));
  return path.join(base, 'sesd-train', `${version}-${target}`);
}

/** Whether this Node is linked against musl: its ELF header names the dynamic loader. */
function onMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const start = Buffer.alloc(4096);
  try {
    const file = openSync(process.execPath, 'r');
    try {
      readSync(file, start);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
  return start.includes('/ld-musl-');
}

const libraryNames: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/**
 * Path of ONNX Runtime's shared library: the argument, else SESD_ONNXRUNTIME, else the one that comes with
 * onnxruntime-node.
 * @throws {SesdError} SESD_NATIVE_LOAD when it is not there.
 */
export function runtimeLibrary(override?: string): string {
  const given = override ?? process.env.SESD_ONNXRUNTIME;
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return path.resolve(given);
    const where = override === undefined ? 'SESD_ONNXRUNTIME' : '--runtime';
    throw new SesdError('SESD_NATIVE_LOAD', `${where}: there is no library ${given}`, {
      hint: 'Give the path of a libonnxruntime of version 1.16 or later.',
    });
  }
  let folder: string;
  try {
    folder = path.dirname(require.resolve('onnxruntime-node'));
  } catch (error) {
    throw new SesdError('SESD_NATIVE_LOAD', 'the package onnxruntime-node is not installed', {
      hint: 'Install it: npm install onnxruntime-node@1.30.0',
      cause: error,
    });
  }
  while (!existsSync(path.join(folder, 'bin')) && folder !== path.dirname(folder))
    folder = path.dirname(folder);
  const file = path.join(
    folder,
    'bin',
    'napi-v6',
    process.platform,
    process.arch,
    libraryNames[process.platform] ?? '',
  );
  if (libraryNames[process.platform] === undefined || !existsSync(file)) {
    throw new SesdError('SESD_NATIVE_LOAD', `onnxruntime-node has no library for ${target}`, {
      hint: 'Set SESD_ONNXRUNTIME (or --runtime) to a libonnxruntime of version 1.16 or later.',
    });
  }
  return file;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
