import { readFileSync } from 'node:fs';
import { findCuda } from '../../../src/engine/backends/cuda/find-cuda.ts';
import { loadCuda } from '../../../src/engine/backends/cuda/load-cuda.ts';
import { tryCuda } from '../../../src/engine/backends/cuda/try-cuda.ts';
import { loadAddon, runtimeLibrary } from '../../../src/engine/backends/load-addon.ts';

// Loads CUDA in a process of its own, as nothing is ever unloaded: prints what the process then has, and how it failed.

const addon = loadAddon();
const found = await findCuda(runtimeLibrary());
addon.open({ library: await loadCuda(addon, found), threads: 1 });
const failure = await tryCuda(addon).then(
  () => undefined,
  (error: Error) => error.message,
);
const mapped = readFileSync('/proc/self/maps', 'utf8');
const preloaded = found.libraries.map(({ file }) => file).filter((file) => file && mapped.includes(file));
process.stdout.write(JSON.stringify({ preloaded, failure }));
