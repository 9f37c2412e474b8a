import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { SesdError } from '../../../errors.ts';
import type { NativeAddon } from '../../contract.ts';
import { cacheFolder } from '../load-addon.ts';
import type { CudaDescription } from './find-cuda.ts';
import { explainLoadFailure } from './problems.ts';

/**
 * Loads the libraries of CUDA and names the file to load ONNX Runtime from, so that the runtime finds the provider beside
 * it. @throws SesdError SESD_NATIVE_LOAD
 */
export async function loadCuda(addon: NativeAddon, found: CudaDescription): Promise<string> {
  const { runtime, provider, libraries } = found;
  // By path and before the provider, which finds by name what is loaded already, wherever it lies.
  for (const { name, file } of libraries) {
    if (file === null) continue;
    if (name.startsWith('libcudnn')) await preloadParts(addon, file);
    await preload(addon, file);
  }
  if (path.dirname(runtime.file) === path.dirname(provider!.file)) return runtime.file;
  return path.join(linkFolder([runtime.file, provider!.file, provider!.shared]), path.basename(runtime.file));
}

async function preload(addon: NativeAddon, file: string): Promise<void> {
  try {
    await addon.preload([file]);
  } catch (cause) {
    const { message } = cause as Error;
    const problem = explainLoadFailure(message);
    throw new SesdError('SESD_NATIVE_LOAD', `CUDA cannot be loaded: ${problem?.message ?? message}.`, {
      ...(problem && { hint: problem.fix }),
      cause,
    });
  }
}

/** cuDNN opens its parts by name when it needs them. One that does not load may never be needed. */
async function preloadParts(addon: NativeAddon, file: string): Promise<void> {
  const folder = path.dirname(file);
  const version = path.basename(file).slice('libcudnn'.length);
  const parts = readdirSync(folder).filter((name) => name.startsWith('libcudnn_') && name.endsWith(version));
  const isFirst = (name: string) => /_(graph|ops)\./.test(name); // the others are linked against these
  parts.sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  for (const part of parts) await addon.preload([path.join(folder, part)]).catch(() => {});
}

/** The runtime looks for providers in the folder it is loaded from: one with links to all of them. */
function linkFolder(files: readonly string[]): string {
  const id = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 16);
  const folder = path.join(cacheFolder(), `cuda-${id}`);
  const made = `${folder}-${process.pid}`;
  try {
    if (lstatSync(folder, { throwIfNoEntry: false })) return folder;
    mkdirSync(made, { recursive: true });
    for (const file of files) symlinkSync(file, path.join(made, path.basename(file)));
    renameSync(made, folder);
    return folder;
  } catch (cause) {
    if (lstatSync(folder, { throwIfNoEntry: false })) return folder; // another process was first
    throw new SesdError(
      'SESD_NATIVE_LOAD',
      `no folder for links to CUDA's libraries: ${(cause as Error).message}`,
      {
        hint: 'Set XDG_CACHE_HOME to a folder that can be written.',
        cause,
      },
    );
  }
}
