import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { cudaFolders, driverFolders, type Surroundings, sitePackages, thisSystem } from './places.ts';
import { type CudaProblem, findCudaProblems } from './problems.ts';
import { type LibraryFacts, providerFacts, runtimeFacts } from './versions.ts';

/** What of CUDA a machine has, and what keeps it from being used. Nothing is loaded to tell. */
export interface CudaDescription {
  /** ONNX Runtime's core library. */
  runtime: CudaLibraryFacts;
  driver: CudaDriver;
  /** The CUDA provider that belongs to the core library; null when there is none. */
  provider: CudaProvider | null;
  /** Providers that are there and belong to another version, or to a build of another kind. */
  refused: CudaLibraryFacts[];
  /** Libraries of CUDA and cuDNN the provider needs, in the order they load; `file` is null where one is missing. */
  libraries: CudaLibrary[];
  /** Empty when CUDA can be used, as far as can be told without loading it. */
  problems: CudaProblem[];
}

/** A library of ONNX Runtime, and what it says of itself. */
export interface CudaLibraryFacts extends LibraryFacts {
  file: string;
}

export interface CudaDriver {
  /** libcuda.so.1 */
  file: string | null;
  /** Of the kernel module, e.g. 580.65.06; null where the system does not tell. */
  version: string | null;
}

export interface CudaProvider {
  file: string;
  /** libonnxruntime_providers_shared.so beside it. */
  shared: string;
  version: string;
}

export interface CudaLibrary {
  /** As the provider names it: libcublas.so.13. */
  name: string;
  file: string | null;
  /** As its file's full name has it: 13.0.2.14; null where that has no more than `name`. */
  version: string | null;
}

const PROVIDER = 'libonnxruntime_providers_cuda.so';
const SHARED = 'libonnxruntime_providers_shared.so';
/** CUDA's parts in the order in which each has what it is linked against. */
const order = ['libcudart', 'libcublasLt', 'libcublas', 'libcurand', 'libcufft', 'libcudnn'];

/** @param library path of ONNX Runtime's core library */
export async function findCuda(
  library: string,
  surroundings: Surroundings = thisSystem,
): Promise<CudaDescription> {
  const runtime = { file: library, ...(await runtimeFacts(library)) };
  const { provider, refused, needed } = await findProvider(runtime, surroundings);
  const configured = parseLdconfig(await surroundings.ldconfig());
  const folders = cudaFolders(surroundings, provider ? path.dirname(provider.file) : undefined);
  const libraries = inOrder(needed).map((name) => {
    const file = firstFile(folders, name) ?? configured.get(name) ?? null;
    return { name, file, version: file && versionInName(file, name) };
  });
  const found = {
    runtime,
    driver: findDriver(surroundings, configured),
    provider,
    refused,
    libraries,
  };
  return { ...found, problems: findCudaProblems(found) };
}

/** Whether NVIDIA's driver is there at all: a few looks at files, so that machines without a GPU pay nothing. */
export function hasDriver(surroundings: Surroundings = thisSystem): boolean {
  const signs = ['proc/driver/nvidia/version', 'dev/nvidiactl', 'dev/dxg'];
  return (
    signs.some((sign) => existsSync(path.join(surroundings.root, sign))) ||
    firstFile(driverFolders(surroundings), 'libcuda.so.1') !== undefined
  );
}

function findDriver(surroundings: Surroundings, configured: ReadonlyMap<string, string>): CudaDriver {
  const file = firstFile(driverFolders(surroundings), 'libcuda.so.1') ?? configured.get('libcuda.so.1');
  return { file: file ?? null, version: kernelModule(surroundings.root) };
}

function kernelModule(root: string): string | null {
  try {
    const text = readFileSync(path.join(root, 'proc/driver/nvidia/version'), 'utf8');
    return text.match(/Kernel Module.*?\s(\d+(?:\.\d+)+)\s/)?.[1] ?? null;
  } catch {
    return null;
  }
}

/** The first provider of the runtime's version and kind, and the others. */
async function findProvider(runtime: CudaDescription['runtime'], surroundings: Surroundings) {
  const refused: CudaDescription['refused'] = [];
  for (const file of providerFiles(runtime.file, surroundings)) {
    const { version, cuda, training } = await providerFacts(file);
    const shared = path.join(path.dirname(file), SHARED);
    const fits = version === runtime.version && training === runtime.training && existsSync(shared);
    if (version !== null && fits)
      return { provider: { file, shared, version }, refused, needed: withCudnn(cuda) };
    refused.push({ file, version, training });
  }
  return { provider: null, refused, needed: [] };
}

/** Where SESD_CUDA_PROVIDER says, and nowhere else; without it, beside the runtime and in Python's environment. */
function providerFiles(library: string, surroundings: Surroundings): string[] {
  const given = surroundings.env.SESD_CUDA_PROVIDER;
  if (given) return [isFolder(given) ? path.join(given, PROVIDER) : given].filter(existsSync);
  const beside = [path.dirname(library), path.dirname(real(library))];
  const installed = sitePackages(surroundings).map((folder) => path.join(folder, 'onnxruntime', 'capi'));
  return [...new Set([...beside, ...installed])]
    .map((folder) => path.join(folder, PROVIDER))
    .filter(existsSync);
}

/** Newer providers open cuDNN when they start instead of being linked against it. */
function withCudnn(needed: string[]): string[] {
  return needed.some((name) => name.startsWith('libcudnn')) ? needed : [...needed, 'libcudnn.so.9'];
}

function inOrder(names: readonly string[]): string[] {
  const rank = (name: string) => {
    const place = order.indexOf(name.replace(/\.so.*/, ''));
    return place < 0 ? order.length : place;
  };
  return [...names].sort((a, b) => rank(a) - rank(b));
}

function firstFile(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(existsSync);
}

/** Lines such as "libcudart.so.13 (libc6,x86-64) => /usr/local/cuda/lib64/libcudart.so.13". */
function parseLdconfig(text: string): Map<string, string> {
  const machine = process.arch === 'arm64' ? 'AArch64' : 'x86-64';
  const files = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, kind, file] = line.match(/^\s*(\S+) \(([^)]*)\) => (.*)$/) ?? [];
    if (name && kind?.includes(machine) && !files.has(name) && existsSync(file!)) files.set(name, file!);
  }
  return files;
}

function versionInName(file: string, name: string): string | null {
  const full = path.basename(real(file));
  const stem = `${name.replace(/\.so\..*/, '')}.so.`;
  return full.startsWith(stem) && full !== name ? full.slice(stem.length) : null;
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
