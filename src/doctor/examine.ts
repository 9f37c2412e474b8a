import { type CudaDescription, findCuda, hasDriver } from '../engine/backends/cuda/find-cuda.ts';
import { cacheFolder, presentAddons, runtimeLibrary } from '../engine/backends/load-addon.ts';
import type { SesdError } from '../errors.ts';
import { packageVersion } from '../train/package-version.ts';
import { cpuFacts } from './cpu.ts';
import { diskFacts } from './disk.ts';
import { gpuFacts } from './gpu.ts';
import { memoryFacts } from './memory.ts';
import { type NativeFacts, probeNative } from './native.ts';
import { installedRuntime, manifest } from './packages.ts';
import { type Facts, findProblems, restoreAddon } from './problems.ts';
import type { DoctorReport, Problem, RuntimeFacts } from './report.ts';
import { nodeFacts, systemFacts } from './system.ts';

export interface ExamineOptions {
  /** Path of ONNX Runtime's library, as --runtime. */
  runtime?: string | undefined;
  /** Where the self-test computes, as --device. What keeps cuda from being used is an error when it is asked for. */
  device: 'auto' | 'cpu' | 'cuda';
  /** Of the self-test; all cores when absent. */
  threads?: number | undefined;
  signal: AbortSignal;
}

/** Variables that change what is loaded or computed. */
const variables = [
  ...['SESD_ONNXRUNTIME', 'SESD_SIMD', 'ONNXRUNTIME_NODE_INSTALL', 'ONNXRUNTIME_NODE_INSTALL_CUDA'],
  ...['NODE_OPTIONS', 'LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_LIBRARY_PATH', 'XDG_CACHE_HOME', 'TMPDIR'],
  ...['CUDA_VISIBLE_DEVICES', 'CUDA_PATH', 'CUDA_HOME', 'OMP_NUM_THREADS', 'LANG', 'LC_ALL'],
];

/**
 * Looks at everything training needs, and makes a training step. What does not work is in the report, never thrown.
 * @throws SesdError SESD_ABORTED
 */
export async function examine({ device, runtime, threads, signal }: ExamineOptions): Promise<DoctorReport> {
  const cpu = cpuFacts();
  const library = findLibrary(runtime);
  const request = { ...library.found, device, threads: threads ?? cpu.available };
  const cuda =
    library.found && process.platform === 'linux' ? await findCuda(library.found.library) : undefined;
  const native = await probeNative(request, signal);
  const facts: Facts = {
    version: packageVersion(),
    node: nodeFacts(manifest.engines.node),
    system: systemFacts(),
    cpu,
    memory: memoryFacts(),
    disk: await diskFacts(cacheFolder()),
    environment: Object.fromEntries(
      variables.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
    ),
    addon: {
      file: native.addon?.loaded?.file ?? null,
      origin: native.addon?.loaded?.origin ?? null,
      refused: native.addon?.refused ?? [],
      simd: native.runtime?.simd ?? null,
    },
    runtime: runtimeFacts(runtime, library.found?.library, native),
    gpu: await gpuFacts(cuda?.driver.version ?? null),
    cuda: cuda
      ? {
          libcuda: cuda.driver.file,
          provider: cuda.provider,
          refused: cuda.refused,
          libraries: cuda.libraries,
        }
      : null,
    selfTest: native.selfTest ?? null,
  };
  const problems = [
    ...(library.problem ? [library.problem] : []),
    ...failureOf(native),
    ...cudaProblems(cuda, device),
    ...findProblems(facts),
  ];
  return { ok: problems.every(({ severity }) => severity !== 'error'), problems, ...facts };
}

function findLibrary(given: string | undefined): { found?: { library: string }; problem?: Problem } {
  try {
    return { found: { library: runtimeLibrary(given) } };
  } catch (error) {
    const { message, hint } = error as SesdError;
    return { problem: { about: 'runtime', severity: 'error', message, fix: hint ?? null } };
  }
}

function runtimeFacts(
  given: string | undefined,
  file: string | undefined,
  { runtime }: NativeFacts,
): RuntimeFacts {
  return {
    file: file ?? null,
    source: given ? '--runtime' : process.env.SESD_ONNXRUNTIME ? 'SESD_ONNXRUNTIME' : 'onnxruntime-node',
    version: runtime?.version ?? null,
    packageVersion: installedRuntime(),
    packageExpected: manifest.dependencies['onnxruntime-node']!,
    providers: runtime?.providers ?? null,
    trainingApi: runtime?.training ?? null,
  };
}

/** Without a GPU that CUDA cannot be used is no problem, unless it was asked for. */
function cudaProblems(cuda: CudaDescription | undefined, device: ExamineOptions['device']): Problem[] {
  if (!cuda || device === 'cpu' || (device === 'auto' && !hasDriver())) return [];
  const severity = device === 'cuda' ? 'error' : 'warning';
  return cuda.problems.map(({ message, fix }) => ({ about: 'cuda', severity, message, fix }));
}

function failureOf(native: NativeFacts): Problem[] {
  const { addon, runtime, failure, endedBy } = native;
  if (endedBy !== undefined) return [endOf(endedBy, native)];
  if (!failure) return [];
  const about = runtime ? 'selfTest' : addon?.loaded ? 'runtime' : 'addon';
  return [{ about, severity: 'error', ...failure }];
}

/** What it means that the probe was ended, after what it had told. */
function endOf(how: string, { addon, runtime }: NativeFacts): Problem {
  const severity = 'error';
  const ended = `${how} ended the process`;
  if (runtime) return { about: 'selfTest', severity, message: `${ended} in a training step`, fix: null };
  if (addon) return { about: 'runtime', severity, message: `${ended} that loaded ONNX Runtime`, fix: null };
  const present = presentAddons();
  const files = present.map(({ file }) => file).join(' or ');
  const fix = present[0] ? restoreAddon(present[0], manifest.version) : null;
  return { about: 'addon', severity, message: `${ended} that loaded the addon ${files}`, fix };
}
