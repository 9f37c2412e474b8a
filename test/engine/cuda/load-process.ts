import { readFileSync } from 'node:fs';
import { findCuda } from '../../../src/engine/backends/cuda/find-cuda.ts';
import { loadCuda } from '../../../src/engine/backends/cuda/load-cuda.ts';
import { cudaOptions, tryCuda } from '../../../src/engine/backends/cuda/try-cuda.ts';
import { loadAddon, runtimeLibrary } from '../../../src/engine/backends/load-addon.ts';
import { trainingCheckpoint } from '../../../src/engine/backends/ort-training-checkpoint.ts';
import { optimizerModel, splitModels } from '../../../src/engine/backends/ort-training-models.ts';
import { prepareTiny } from '../../bert/tiny-bert.ts';

// Loads CUDA in a process of its own, as nothing is ever unloaded: prints what the process then has, and how it failed.

const addon = loadAddon();
const found = await findCuda(runtimeLibrary());
const { training } = addon.open({ library: await loadCuda(addon, found), threads: 1 });
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: Error) => error.message,
  );
const failure = await failureOf(tryCuda(addon));
const mapped = readFileSync('/proc/self/maps', 'utf8');
const preloaded = found.libraries.map(({ file }) => file).filter((file) => file && mapped.includes(file));

/** How a training session ends on the GPU, and on the CPU with the same library. */
async function train() {
  const { plan } = await prepareTiny({ fuse: false, device: 'cuda' });
  const models = {
    ...splitModels(plan, { gradients: true, norm: false }),
    ...{ optimizer: optimizerModel(undefined), checkpoint: trainingCheckpoint(plan) },
  };
  return {
    cuda: await failureOf(addon.createTrainingSession(models, { cuda: cudaOptions, deviceOnly: true })),
    cpu: await failureOf(addon.createTrainingSession(models, {})),
  };
}
process.stdout.write(JSON.stringify({ preloaded, failure, ...(training && { training: await train() }) }));
