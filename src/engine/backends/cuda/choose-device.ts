import { SesdError } from '../../../errors.ts';
import type { HalfType } from '../../../graph/passes/mix-precision.ts';
import { loadAddon, runtimeLibrary } from '../load-addon.ts';
import { type OnnxRuntimeOptions, openRuntime } from '../onnx-runtime.ts';
import { trainingBuild } from '../training-build.ts';
import { type CudaDescription, findCuda, hasDriver } from './find-cuda.ts';
import { loadCuda } from './load-cuda.ts';
import { type CudaProblem, explainLoadFailure } from './problems.ts';
import { tryCuda } from './try-cuda.ts';

/** Where a model is computed, and what to tell the user of it. */
export interface ChosenDevice {
  device: 'cpu' | 'cuda';
  /** The runtime to open: with CUDA, another path to the same library. */
  runtime: OnnxRuntimeOptions;
  notice?: string;
}

/** What of a GPU is used besides float32 and sessions. */
export interface DeviceNeeds {
  /** What else it has to multiply. */
  half?: HalfType | undefined;
  /** The runtime's training API. */
  training?: boolean;
}

/**
 * Settles `--device`: `cuda` is used or refused, `auto` takes it where it works. Opens the runtime where it is CUDA.
 * @throws SesdError SESD_NATIVE_LOAD when `cuda` was asked for and cannot be used
 */
export async function chooseDevice(
  device: 'auto' | 'cpu' | 'cuda',
  runtime: OnnxRuntimeOptions,
  needs: DeviceNeeds = {},
): Promise<ChosenDevice> {
  const onCpu = { device: 'cpu', runtime } as const;
  if (device === 'cpu') return onCpu;
  if (process.platform !== 'linux') {
    if (device === 'auto') return onCpu;
    throw refusal([
      { message: `CUDA is used on Linux only; this is ${process.platform}`, fix: 'Use --device cpu.' },
    ]);
  }
  // A machine without a GPU has nothing to be told.
  if (device === 'auto' && !hasDriver()) return onCpu;
  try {
    return await openCuda(runtime, needs);
  } catch (error) {
    if (device === 'cuda' || !(error instanceof SesdError)) throw error;
    const notice = `Computing on the CPU, though there is a GPU: ${error.message} ${error.hint ?? ''}`.trim();
    return { ...onCpu, notice };
  }
}

async function openCuda(
  runtime: OnnxRuntimeOptions,
  { half, training = false }: DeviceNeeds,
): Promise<ChosenDevice> {
  const found = await findCuda(runtimeLibrary(runtime.library));
  if (training && !found.runtime.training) {
    const message = `ONNX Runtime in ${found.runtime.file} was built without the training API`;
    throw refusal([{ message, fix: trainingBuild('linux-x86_64-gpu') }]);
  }
  if (found.problems.length > 0) throw refusal(found.problems);
  const addon = loadAddon();
  const library = await loadCuda(addon, found);
  const linked = { ...runtime, library };
  const opened = openRuntime(linked);
  if (opened.library !== library) {
    throw refusal([
      {
        message: `ONNX Runtime was loaded from ${opened.library} before, where it does not find its CUDA provider`,
        fix: 'Ask for CUDA with the first model of the process.',
      },
    ]);
  }
  try {
    await tryCuda(addon);
  } catch (cause) {
    const message = (cause as Error).message.trim();
    throw refusal([explainLoadFailure(message) ?? { message, fix: 'Use --device cpu.' }], cause);
  }
  if (half) {
    await tryCuda(addon, half).catch((cause: Error) => {
      const message = `a product of ${half} failed: ${cause.message.trim()}`;
      const fix = `Use --precision fp32${half === 'bfloat16' ? ' or fp16; GPUs before Ampere have no bfloat16' : ''}.`;
      throw refusal([{ message, fix }], cause);
    });
  }
  return { device: 'cuda', runtime: linked, notice: `Computing on CUDA: ${describe(found)}. ${UNTRIED}` };
}

/** Until it has run on one: docs/cuda.md. */
const UNTRIED = 'This package was tested without a GPU only: compare with --device cpu.';

function describe({ provider, driver, libraries }: CudaDescription): string {
  const cudnn = libraries.find(({ name }) => name.startsWith('libcudnn'));
  return [
    `ONNX Runtime's provider ${provider!.version}`,
    ...(driver.version === null ? [] : [`driver ${driver.version}`]),
    ...(cudnn?.version ? [`cuDNN ${cudnn.version}`] : []),
  ].join(', ');
}

function refusal(problems: readonly CudaProblem[], cause?: unknown): SesdError {
  const sentences = problems.map(({ message }) => `${message[0]!.toUpperCase()}${message.slice(1)}.`);
  return new SesdError('SESD_NATIVE_LOAD', `CUDA cannot be used. ${sentences.join(' ')}`, {
    hint: [...new Set(problems.map(({ fix }) => fix))].join(' '),
    cause,
  });
}
