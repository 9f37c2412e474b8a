import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findCuda, hasDriver } from '../../../src/engine/backends/cuda/find-cuda.ts';
import { thisSystem } from '../../../src/engine/backends/cuda/places.ts';
import { runtimeLibrary } from '../../../src/engine/backends/load-addon.ts';

// SESD_CUDA_LIBRARIES: a virtual environment with onnxruntime-gpu of our version and CUDA's libraries (docs/cuda.md).
const environment = process.env.SESD_CUDA_LIBRARIES;
const skip = environment === undefined ? 'SESD_CUDA_LIBRARIES names no environment with CUDA' : hasDriver();

test('the real provider and the real libraries load, up to the driver that is not there', {
  skip,
}, async () => {
  const found = await findCuda(runtimeLibrary(), {
    ...thisSystem,
    env: { ...process.env, VIRTUAL_ENV: environment },
  });
  assert.deepEqual(
    found.problems.map(({ message }) => message),
    ['no NVIDIA driver: libcuda.so.1 is not found'],
  );
  const cache = mkdtempSync(path.join(tmpdir(), 'sesd-cuda-'));
  try {
    const script = fileURLToPath(new URL('./load-process.ts', import.meta.url));
    const run = spawnSync(process.execPath, ['--import', 'tsx', script], {
      encoding: 'utf8',
      env: { ...process.env, VIRTUAL_ENV: environment, XDG_CACHE_HOME: cache },
    });
    assert.equal(run.status, 0, run.stderr);
    const { preloaded, failure } = JSON.parse(run.stdout);
    assert.deepEqual(
      preloaded,
      found.libraries.map(({ file }) => file),
    );
    assert.match(
      failure,
      /libonnxruntime_providers_cuda\.so with error: libcuda\.so\.1: cannot open shared object/,
    );
  } finally {
    rmSync(cache, { recursive: true });
  }
});
