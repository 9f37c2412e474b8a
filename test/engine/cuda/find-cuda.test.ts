import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { findCuda, hasDriver } from '../../../src/engine/backends/cuda/find-cuda.ts';
import type { Surroundings } from '../../../src/engine/backends/cuda/places.ts';
import { explainLoadFailure } from '../../../src/engine/backends/cuda/problems.ts';
import { runtimeFacts } from '../../../src/engine/backends/cuda/versions.ts';
import { runtimeLibrary } from '../../../src/engine/backends/load-addon.ts';
import { writeLibrary } from './fake-library.ts';

const needed = ['libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcudart.so.13', 'libcuda.so.1'];
const all = ['libcudart.so.13', 'libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcudnn.so.9'];
const triple = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sesd-cuda-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (...parts: string[]) => path.join(root, ...parts);

function surroundings(env: Surroundings['env'] = {}, ldconfig = ''): Surroundings {
  return { env, root, ldconfig: async () => ldconfig };
}

function writeRuntime(folder = 'node', version = '1.30.0'): string {
  return writeLibrary(at(folder, 'libonnxruntime.so.1'), { symbolVersion: `VERS_${version}` });
}

function writeProvider(folder: string, version = '1.30.0', cuda = needed): string {
  writeLibrary(at(folder, 'libonnxruntime_providers_shared.so'));
  return writeLibrary(at(folder, 'libonnxruntime_providers_cuda.so'), {
    needed: [...cuda, 'libc.so.6'],
    constant: version,
  });
}

function writeDriver(version?: string): void {
  writeLibrary(at('usr/lib', triple, 'libcuda.so.1'));
  if (version === undefined) return;
  mkdirSync(at('proc/driver/nvidia'), { recursive: true });
  writeFileSync(
    at('proc/driver/nvidia/version'),
    `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  Mon Jan 1\n`,
  );
}

const capi = 'venv/lib/python3.11/site-packages/onnxruntime/capi';
const pip = (part: string) => `venv/lib/python3.11/site-packages/nvidia/${part}/lib`;

describe('what is found of CUDA', () => {
  test('a machine that has everything, from pip', async () => {
    const runtime = writeRuntime();
    const provider = writeProvider(capi);
    writeDriver('580.65.06');
    for (const name of all) writeLibrary(at(pip(name.startsWith('libcudnn') ? 'cudnn' : 'cu13'), name));
    const found = await findCuda(runtime, surroundings({ VIRTUAL_ENV: at('venv') }));
    assert.deepEqual(found.problems, []);
    assert.deepEqual(found.provider, {
      file: provider,
      shared: at(capi, 'libonnxruntime_providers_shared.so'),
      version: '1.30.0',
    });
    assert.deepEqual(
      found.libraries.map(({ name }) => name),
      all, // in the order in which each finds what it is linked against
    );
    assert.equal(found.libraries[1]!.file, at(pip('cu13'), 'libcublasLt.so.13'));
    assert.deepEqual(found.driver, { file: at('usr/lib', triple, 'libcuda.so.1'), version: '580.65.06' });
    assert.equal(found.runtime.version, '1.30.0');
  });

  test('a machine that has nothing', async () => {
    const found = await findCuda(writeRuntime(), surroundings());
    assert.deepEqual(
      found.problems.map(({ message }) => message),
      [
        'no NVIDIA driver: libcuda.so.1 is not found',
        'no CUDA provider for ONNX Runtime 1.30.0 is installed',
      ],
    );
    assert.match(found.problems[1]!.fix, /pip install onnxruntime-gpu==1\.30\.0 /);
    assert.equal(hasDriver(surroundings()), false);
  });

  test('a provider of another version is refused, one of the right version taken behind it', async () => {
    const runtime = writeRuntime();
    const wrong = writeProvider('node', '1.29.0');
    writeDriver('580.1');
    const alone = await findCuda(runtime, surroundings());
    assert.equal(alone.provider, null);
    assert.deepEqual(alone.refused, [{ file: wrong, version: '1.29.0', training: false }]);
    assert.equal(alone.problems.length, 1);
    assert.match(
      alone.problems[0]!.message,
      /node\/libonnxruntime_providers_cuda\.so does not fit: expected one of ONNX Runtime 1\.30\.0, .* found 1\.29\.0/,
    );
    const right = writeProvider(capi);
    const both = await findCuda(runtime, surroundings({ VIRTUAL_ENV: at('venv') }));
    assert.equal(both.provider?.file, right);
    assert.deepEqual(both.refused, alone.refused);
  });

  test('a library with the training API takes a provider with it only, one without only one without', async () => {
    writeDriver('580.1');
    const training = writeLibrary(at('training/libonnxruntime.so.1'), {
      constant: '1.30.0\0InPlaceAccumulatorV2', // without a version of its symbols
    });
    const pip = writeProvider(capi);
    const found = await findCuda(training, surroundings({ VIRTUAL_ENV: at('venv') }));
    assert.deepEqual(found.runtime, { file: training, version: '1.30.0', training: true });
    assert.deepEqual(found.refused, [{ file: pip, version: '1.30.0', training: false }]);
    assert.match(found.problems[0]!.message, /does not fit: it was built without the training API, unlike/);
    assert.match(found.problems[0]!.fix, /onnxruntime:1\.28\.0-1\.5\.14, classifier linux-x86_64-gpu/);
    rmSync(pip);
    const [alone] = (await findCuda(training, surroundings())).problems;
    assert.equal(
      alone!.message,
      'no CUDA provider for ONNX Runtime 1.30.0 with the training API is installed',
    );
    assert.match(alone!.fix, /classifier linux-x86_64-gpu/);

    writeLibrary(at('training/libonnxruntime_providers_shared.so'));
    const beside = writeLibrary(at('training/libonnxruntime_providers_cuda.so'), {
      ...{ needed, constant: '1.30.0\0InPlaceAccumulatorV2' },
    });
    assert.equal((await findCuda(training, surroundings())).provider?.file, beside);
    const other = await findCuda(writeRuntime(), surroundings({ SESD_CUDA_PROVIDER: beside }));
    assert.match(other.problems[0]!.message, /built with the training API, unlike/);
    assert.match(other.problems[0]!.fix, /pip install onnxruntime-gpu==1\.30\.0/);
  });

  test('SESD_CUDA_PROVIDER goes before all and names a folder or a file', async () => {
    const runtime = writeRuntime();
    writeProvider('node');
    const named = writeProvider('mine');
    for (const given of [at('mine'), named]) {
      const found = await findCuda(runtime, surroundings({ SESD_CUDA_PROVIDER: given }));
      assert.equal(found.provider?.file, named);
    }
    const nothing = await findCuda(runtime, surroundings({ SESD_CUDA_PROVIDER: at('elsewhere') }));
    assert.equal(nothing.provider, null);
  });

  test('a provider whose helper is not beside it', async () => {
    const runtime = writeRuntime();
    writeProvider('node');
    rmSync(at('node/libonnxruntime_providers_shared.so'));
    const { problems } = await findCuda(runtime, surroundings());
    assert.match(problems[1]!.message, /libonnxruntime_providers_shared\.so is not beside it/);
  });

  test('libraries are looked for in LD_LIBRARY_PATH, beside the provider, in CUDA_HOME, with ldconfig', async () => {
    const runtime = writeRuntime();
    writeProvider('node');
    const name = 'libcudart.so.13';
    const find = async (env: Surroundings['env'] = {}) => {
      const kind = process.arch === 'arm64' ? 'libc6,AArch64' : 'libc6,x86-64';
      const ldconfig = `\t${name} (libc6) => /nowhere/32\n\t${name} (${kind}) => ${at('opt', name)}\n`;
      const { libraries } = await findCuda(runtime, surroundings(env, ldconfig));
      return libraries.find((library) => library.name === name)!.file;
    };
    assert.equal(await find(), null);
    writeLibrary(at('opt', name));
    assert.equal(await find(), at('opt', name));
    writeLibrary(at('usr/local/cuda-12.9/lib64', name));
    writeLibrary(at('usr/local/cuda-13.0/lib64', name));
    assert.equal(await find(), at('usr/local/cuda-13.0/lib64', name));
    writeLibrary(at('home/lib64', name));
    const env = { CUDA_HOME: at('home'), LD_LIBRARY_PATH: `:${at('first')}` };
    assert.equal(await find(env), at('home/lib64', name));
    writeLibrary(at('node', name));
    assert.equal(await find(env), at('node', name));
    writeLibrary(at('first', name));
    assert.equal(await find(env), at('first', name));
  });

  test('what is missing is said with the packages that bring it, for either generation of CUDA', async () => {
    const runtime = writeRuntime();
    writeDriver('580.1');
    writeProvider('node');
    writeLibrary(at('node/libcublas.so.13'));
    const [current] = (await findCuda(runtime, surroundings())).problems;
    assert.equal(
      current!.message,
      'libraries of CUDA 13 are not found: libcudart.so.13, libcublasLt.so.13, libcurand.so.10, libcudnn.so.9',
    );
    assert.match(
      current!.fix,
      /^pip install nvidia-cuda-runtime nvidia-cublas nvidia-curand nvidia-cudnn-cu13 in /,
    );
    writeProvider('node', '1.30.0', ['libcublas.so.12', 'libcudart.so.12', 'libcudnn.so.9']);
    const [older] = (await findCuda(runtime, surroundings())).problems;
    assert.match(
      older!.fix,
      /^pip install nvidia-cuda-runtime-cu12 nvidia-cublas-cu12 nvidia-cudnn-cu12 in /,
    );
  });

  test('a driver too old for the CUDA of the provider', async () => {
    const runtime = writeRuntime();
    writeProvider('node');
    for (const name of all) writeLibrary(at('node', name));
    writeDriver('535.104.05');
    const { problems } = await findCuda(runtime, surroundings());
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['the NVIDIA driver is too old: expected 580 or later for CUDA 13, found 535.104.05'],
    );
  });

  test('the full version of a library is in the name of its file', async () => {
    const runtime = writeRuntime();
    writeProvider('node');
    writeLibrary(at('node/libcudnn.so.9.12.0'));
    symlinkSync('libcudnn.so.9.12.0', at('node/libcudnn.so.9'));
    const { libraries } = await findCuda(runtime, surroundings());
    assert.equal(libraries.find(({ name }) => name === 'libcudnn.so.9')?.version, '9.12.0');
  });

  test('files that are no libraries, or are cut short, have no version', async () => {
    const runtime = writeRuntime();
    const provider = writeProvider('node');
    writeFileSync(provider, 'not a library');
    const [text] = (await findCuda(runtime, surroundings())).refused;
    assert.equal(text!.version, null);
    writeProvider('node');
    truncateSync(provider, 200);
    const [cut] = (await findCuda(runtime, surroundings())).refused;
    assert.equal(cut!.version, null);
    writeFileSync(runtime, '');
    const { problems } = await findCuda(runtime, surroundings());
    assert.match(problems[1]!.message, /^the version of .*libonnxruntime\.so\.1 cannot be told/);
  });

  test('a driver is told from its device alone', () => {
    mkdirSync(at('dev'));
    writeFileSync(at('dev/nvidiactl'), '');
    assert.equal(hasDriver(surroundings()), true);
  });
});

test('what the library that is really used says', { skip: process.platform !== 'linux' }, async () => {
  const { version, training } = await runtimeFacts(runtimeLibrary());
  assert.match(version!, /^1\.\d+\.\d+$/);
  assert.equal(training, false);
});

test('what the loader says is put into what to do', () => {
  const failed = (name: string) =>
    `Failed to load library x/libonnxruntime_providers_cuda.so with error: ${name}: cannot open shared object file: No such file or directory`;
  assert.match(explainLoadFailure(failed('libcuda.so.1'))!.message, /^no NVIDIA driver/);
  assert.equal(explainLoadFailure(failed('libcublasLt.so.12'))!.fix, 'pip install nvidia-cublas-cu12');
  assert.equal(explainLoadFailure(failed('libcudnn.so.9'))!.fix, 'pip install nvidia-cudnn-cu13');
  assert.match(explainLoadFailure(failed('libodd.so.2'))!.fix, /LD_LIBRARY_PATH/);
  const old =
    'Parse Failed to parse provider option "device_id": CUDA failure 35: CUDA driver version is insufficient ; GPU=-1 ;';
  assert.equal(explainLoadFailure(old)!.message, "CUDA's error 35: CUDA driver version is insufficient");
  assert.match(explainLoadFailure(old)!.fix, /nvidia\.com\/drivers/);
  const without = explainLoadFailure('CUDA execution provider is not enabled in this build.');
  assert.match(without!.message, /built without CUDA/);
  assert.equal(explainLoadFailure('something else'), undefined);
});
