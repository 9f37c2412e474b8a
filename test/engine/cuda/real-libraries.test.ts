import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findCuda, hasDriver } from '../../../src/engine/backends/cuda/find-cuda.ts';
import { thisSystem } from '../../../src/engine/backends/cuda/places.ts';
import { runtimeLibrary } from '../../../src/engine/backends/load-addon.ts';

// SESD_CUDA_LIBRARIES: a virtual environment with onnxruntime-gpu of our version and CUDA's libraries (docs/cuda.md).
// SESD_ORT_TRAINING_CUDA_LIBRARY: an ONNX Runtime for CUDA with the training API (docs/training-runtime.md).
const environment = process.env.SESD_CUDA_LIBRARIES;
const training = process.env.SESD_ORT_TRAINING_CUDA_LIBRARY;
const skip = environment === undefined ? 'SESD_CUDA_LIBRARIES names no environment with CUDA' : hasDriver();

/** Finds CUDA for a library, and loads it in another process. */
async function load(library: string) {
  const env = { ...process.env, VIRTUAL_ENV: environment, SESD_ONNXRUNTIME: library };
  const found = await findCuda(library, { ...thisSystem, env });
  assert.deepEqual(
    found.problems.map(({ message }) => message),
    ['no NVIDIA driver: libcuda.so.1 is not found'],
  );
  const cache = mkdtempSync(path.join(tmpdir(), 'sesd-cuda-'));
  try {
    const script = fileURLToPath(new URL('./load-process.ts', import.meta.url));
    const run = spawnSync(process.execPath, ['--import', 'tsx', script], {
      ...{ encoding: 'utf8', env: { ...env, XDG_CACHE_HOME: cache } },
    });
    assert.equal(run.status, 0, run.stderr);
    const { preloaded, ...ends } = JSON.parse(run.stdout);
    assert.deepEqual(
      preloaded,
      found.libraries.map(({ file }) => file),
    );
    return { found, ends };
  } finally {
    rmSync(cache, { recursive: true });
  }
}

describe('the real provider and the real libraries load, up to the driver that is not there', {
  skip,
}, () => {
  test("onnxruntime-node's", async () => {
    const { ends } = await load(runtimeLibrary());
    assert.match(
      ends.failure,
      /libonnxruntime_providers_cuda\.so with error: libcuda\.so\.1: cannot open shared object/,
    );
  });

  test('those of a build with the training API', {
    skip: training === undefined && 'SESD_ORT_TRAINING_CUDA_LIBRARY names no library',
  }, async () => {
    const { found, ends } = await load(training!);
    assert.equal(found.runtime.training, true);
    assert.equal(path.dirname(found.provider!.file), path.dirname(training!));
    // This provider is not linked against the driver: it loads, and CUDA itself does not find it.
    for (const failure of [ends.failure, ends.training.cuda])
      assert.match(failure, /CUDA failure 35: CUDA driver version is insufficient/);
    assert.equal(ends.training.cpu, undefined); // so nothing but the driver keeps it
    const provider = readFileSync(found.provider!.file);
    for (const kernel of [
      'InPlaceAccumulatorV2_kMSDomain_ver1_float_float',
      'AdamWOptimizer_',
      'SGDOptimizerV2_',
    ])
      assert.ok(provider.includes(`kCudaExecutionProvider_${kernel}`), kernel);
  });
});
