import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** The system as the search sees it; tests give it another. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** What stands for "/" in the places CUDA and its driver are installed to. */
  root: string;
  /** What `ldconfig -p` prints. */
  ldconfig(): Promise<string>;
}

export const thisSystem: Surroundings = {
  env: process.env,
  root: '/',
  async ldconfig() {
    // It is in no ordinary user's PATH.
    const PATH = `${process.env.PATH ?? ''}:/sbin:/usr/sbin`;
    try {
      const { stdout } = await promisify(execFile)('ldconfig', ['-p'], { env: { ...process.env, PATH } });
      return stdout;
    } catch {
      return '';
    }
  },
};

/** Python's folders of packages: those of the active environment. */
export function sitePackages({ env }: Surroundings): string[] {
  return [env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap((prefix) =>
    prefix
      ? list(path.join(prefix, 'lib'), /^python3/).map((folder) => path.join(folder, 'site-packages'))
      : [],
  );
}

/**
 * Folders where the libraries of CUDA may lie, the first before the others: those the user names, those beside the
 * provider, pip's, CUDA's own.
 */
export function cudaFolders(surroundings: Surroundings, providerFolder: string | undefined): string[] {
  const { env, root } = surroundings;
  const beside = providerFolder === undefined ? [] : [providerFolder];
  // pip puts the provider in site-packages/onnxruntime/capi and CUDA in site-packages/nvidia/*/lib
  const packages = [
    ...beside.map((folder) => path.resolve(folder, '..', '..')),
    ...sitePackages(surroundings),
  ];
  const homes = [env.CUDA_HOME, env.CUDA_PATH, ...list(path.join(root, 'usr/local'), /^cuda/)];
  return unique([
    ...searchPath(env.LD_LIBRARY_PATH),
    ...beside,
    ...packages.flatMap((folder) =>
      list(path.join(folder, 'nvidia'), /./).map((each) => path.join(each, 'lib')),
    ),
    ...(env.CONDA_PREFIX ? [path.join(env.CONDA_PREFIX, 'lib')] : []),
    ...homes.flatMap((home) => (home ? [path.join(home, 'lib64'), path.join(home, 'lib')] : [])),
    ...systemFolders(root),
  ]);
}

/** Folders where NVIDIA's driver may have put its libraries. */
export function driverFolders({ env, root }: Surroundings): string[] {
  const own = ['usr/lib/wsl/lib', 'usr/local/nvidia/lib64'].map((folder) => path.join(root, folder));
  return unique([...searchPath(env.LD_LIBRARY_PATH), ...systemFolders(root), ...own]);
}

function systemFolders(root: string): string[] {
  const triple = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return [`usr/lib/${triple}`, 'usr/lib64', 'usr/lib'].map((folder) => path.join(root, folder));
}

/** Entries of a folder by name, the newest version first. */
function list(folder: string, pattern: RegExp): string[] {
  try {
    const names = readdirSync(folder).filter((name) => pattern.test(name));
    return names
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

function searchPath(value: string | undefined): string[] {
  return (value ?? '').split(':').filter((folder) => folder !== '');
}

function unique(folders: string[]): string[] {
  return [...new Set(folders)];
}
