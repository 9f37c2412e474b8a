import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseDevice } from '../../../src/engine/backends/cuda/choose-device.ts';
import { hasDriver } from '../../../src/engine/backends/cuda/find-cuda.ts';
import { findTrainingLibrary } from '../training-library.ts';

const runtime = { threads: 1 };

describe('where a model is computed, without a GPU', { skip: hasDriver() }, () => {
  test('auto is the CPU, and nothing is said', async () => {
    assert.deepEqual(await chooseDevice('auto', runtime), { device: 'cpu', runtime });
    assert.deepEqual(await chooseDevice('cpu', runtime), { device: 'cpu', runtime });
  });

  test('cuda is refused, and what is missing said', { skip: process.platform !== 'linux' }, async () => {
    await assert.rejects(chooseDevice('cuda', runtime), {
      code: 'SESD_NATIVE_LOAD',
      exitCode: 1,
      message: /^CUDA cannot be used\. No NVIDIA driver: libcuda\.so\.1 is not found\./,
      hint: /https:\/\/www\.nvidia\.com\/drivers/,
    });
  });

  test('a training session wants a library with the training API and its provider', {
    skip: process.platform !== 'linux',
  }, async () => {
    const refused = (library: string | undefined, message: RegExp) =>
      assert.rejects(chooseDevice('cuda', { threads: 1, ...(library && { library }) }, { training: true }), {
        ...{ code: 'SESD_NATIVE_LOAD', message },
        hint: /org\.bytedeco:onnxruntime:1\.28\.0-1\.5\.14, classifier linux-x86_64-gpu.*--runtime/,
      });
    await refused(undefined, /libonnxruntime\.so\.1 was built without the training API/);
    const { library } = findTrainingLibrary();
    if (library) await refused(library, /no NVIDIA driver.*No CUDA provider for .* with the training API/is);
  });
});
