import path from 'node:path';
import { trainingBuild } from '../training-build.ts';
import type { CudaDescription } from './find-cuda.ts';

/** Something that keeps CUDA from being used, and what to do about it. */
export interface CudaProblem {
  /** What was expected, and what was found. */
  message: string;
  /** A command where there is one. */
  fix: string;
}

/** The oldest driver that runs a version of CUDA on Linux (NVIDIA, CUDA compatibility). */
const oldestDriver: Readonly<Record<string, number>> = { 11: 450, 12: 525, 13: 580 };

/** Packages of PyPI by the library they bring; `%` is CUDA's version where the name has it. */
const packages: Readonly<Record<string, string>> = {
  libcudart: 'nvidia-cuda-runtime',
  libcublas: 'nvidia-cublas',
  libcublasLt: 'nvidia-cublas',
  libcurand: 'nvidia-curand',
  libcufft: 'nvidia-cufft',
  libcudnn: 'nvidia-cudnn-cu%',
};

const driverFix =
  'Install the driver from https://www.nvidia.com/drivers; in a container, run it with --gpus all (NVIDIA Container Toolkit).';

export function findCudaProblems(found: Omit<CudaDescription, 'problems'>): CudaProblem[] {
  return [...ofDriver(found), ...ofProvider(found), ...ofLibraries(found)];
}

function ofDriver({ driver, libraries }: Omit<CudaDescription, 'problems'>): CudaProblem[] {
  if (driver.file === null) {
    const module = driver.version === null ? '' : ` (its kernel module ${driver.version} is loaded)`;
    return [{ message: `no NVIDIA driver: libcuda.so.1 is not found${module}`, fix: driverFix }];
  }
  const cuda = cudaVersion(libraries.map(({ name }) => name));
  const least = oldestDriver[cuda ?? ''];
  if (driver.version === null || least === undefined || Number.parseFloat(driver.version) >= least) return [];
  return [
    {
      message: `the NVIDIA driver is too old: expected ${least} or later for CUDA ${cuda}, found ${driver.version}`,
      fix: driverFix,
    },
  ];
}

function ofProvider({ runtime, provider, refused }: Omit<CudaDescription, 'problems'>): CudaProblem[] {
  if (provider !== null) return [];
  if (runtime.version === null) {
    return [
      {
        message: `the version of ${runtime.file} cannot be told, and a CUDA provider must have the same`,
        fix: runtime.training
          ? trainingBuild('linux-x86_64-gpu')
          : 'Use the library of onnxruntime-node, or of pip install onnxruntime-gpu.',
      },
    ];
  }
  const fix = runtime.training
    ? trainingBuild('linux-x86_64-gpu')
    : `pip install onnxruntime-gpu==${runtime.version} in an active virtual environment, or name the folder of its library ` +
      'in SESD_CUDA_PROVIDER.';
  if (refused.length === 0) {
    const kind = runtime.training ? ' with the training API' : '';
    return [{ message: `no CUDA provider for ONNX Runtime ${runtime.version}${kind} is installed`, fix }];
  }
  return refused.map(({ file, version, training }) => {
    const other =
      version !== runtime.version
        ? `expected one of ONNX Runtime ${runtime.version}, as ${runtime.file} is, found ${version ?? 'one whose version cannot be told'}`
        : training !== runtime.training
          ? `it was built ${training ? 'with' : 'without'} the training API, unlike ${runtime.file}`
          : 'libonnxruntime_providers_shared.so is not beside it';
    return { message: `the CUDA provider ${file} does not fit: ${other}`, fix };
  });
}

function ofLibraries({ libraries }: Omit<CudaDescription, 'problems'>): CudaProblem[] {
  const missing = libraries.filter(({ file }) => file === null).map(({ name }) => name);
  if (missing.length === 0) return [];
  const all = libraries.map(({ name }) => name);
  return [
    {
      message: `libraries of CUDA ${cudaVersion(all) ?? ''} are not found: ${missing.join(', ')}`.replace(
        '  ',
        ' ',
      ),
      fix: `${installCommand(missing, cudaVersion(all))} in an active virtual environment, or name their folder in LD_LIBRARY_PATH.`,
    },
  ];
}

/** The command that brings libraries of CUDA. @param cuda its major version */
export function installCommand(names: readonly string[], cuda: string | undefined): string {
  // Until version 12 every package had the version in its name.
  const suffix = (name: string) =>
    name.includes('%') ? name.replace('%', cuda ?? '13') : Number(cuda) <= 12 ? `${name}-cu${cuda}` : name;
  const wanted = names.map((name) => packages[stem(name)]).filter((name) => name !== undefined);
  return `pip install ${[...new Set(wanted.map(suffix))].join(' ')}`;
}

/** CUDA's major version, which its runtime library and cuBLAS have in their names. */
function cudaVersion(names: readonly string[]): string | undefined {
  return names.find((name) => /^lib(cudart|cublas)\./.test(name))?.match(/\.so\.(\d+)/)?.[1];
}

function stem(name: string): string {
  return path.basename(name).replace(/\.so.*/, '');
}

/** By cudaError_t. */
const failureFixes: Readonly<Record<string, string>> = {
  35: driverFix,
  100: `No GPU is visible to this process: look at nvidia-smi and CUDA_VISIBLE_DEVICES. ${driverFix}`,
};

/** What a failure to load the provider means. @param message the runtime's own */
export function explainLoadFailure(message: string): CudaProblem | undefined {
  const failure = message.match(/CUDA failure (\d+): ([^;]*?)\s*;/);
  if (failure) {
    const [, code, text] = failure;
    return {
      message: `CUDA's error ${code}: ${text}`,
      fix: failureFixes[code!] ?? 'Run nvidia-smi: it tells of the GPU.',
    };
  }
  if (message.includes('CUDA execution provider is not enabled in this build')) {
    return {
      message: 'this ONNX Runtime was built without CUDA',
      fix: `Use onnxruntime-node's; with --backend ort-training: ${trainingBuild('linux-x86_64-gpu')}`,
    };
  }
  const missing = message.match(/(lib[\w+-]+\.so[.\d]*): cannot open shared object file/)?.[1];
  if (missing === undefined) return undefined;
  if (missing.startsWith('libcuda.so')) {
    return { message: `no NVIDIA driver: ${missing} is not found`, fix: driverFix };
  }
  if (packages[stem(missing)] === undefined) {
    return { message: `a library is not found: ${missing}`, fix: 'Name its folder in LD_LIBRARY_PATH.' };
  }
  const cuda = missing.match(/^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)/)?.[1];
  return { message: `a library of CUDA is not found: ${missing}`, fix: installCommand([missing], cuda) };
}
