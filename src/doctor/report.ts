import type { CudaDescription } from '../engine/backends/cuda/find-cuda.ts';
import type { AddonFile, AddonFiles } from '../engine/backends/load-addon.ts';

/**
 * What `sesd-train doctor` finds: facts of the machine, room by room, and what is wrong with them. `--json` prints it as
 * it is; docs/doctor.md lists the fields. Sizes are in bytes, times in seconds; null is what cannot be known here.
 */
export interface DoctorReport {
  /** Everything that training needs works. */
  ok: boolean;
  /** Of this package. */
  version: string;
  problems: Problem[];
  node: NodeFacts;
  system: SystemFacts;
  cpu: CpuFacts;
  memory: MemoryFacts;
  disk: DiskFacts[];
  /** Variables that are set and change what is loaded or computed. */
  environment: Record<string, string>;
  addon: AddonFacts;
  runtime: RuntimeFacts;
  gpu: GpuFacts;
  /** null where CUDA is not used: beside Linux, and without a runtime. */
  cuda: CudaFacts | null;
  /** null where it could not be tried. */
  selfTest: SelfTestFacts | null;
}

/** The part of the report a problem is about. */
export type Part = Exclude<keyof DoctorReport, 'ok' | 'version' | 'problems'>;

export interface Problem {
  about: Part;
  /** An error keeps training from working; a warning may make it slow, or fail later. */
  severity: 'error' | 'warning';
  message: string;
  /** What to do, a command where there is one; null where only the message helps. */
  fix: string | null;
}

export interface NodeFacts {
  version: string;
  executable: string;
  /** The versions this package runs on, as package.json has them. */
  required: string;
}

export interface SystemFacts {
  /** As Node names them: linux, x64. */
  platform: string;
  arch: string;
  /** "Debian GNU/Linux 12 (bookworm)" */
  name: string;
  kernel: string;
  /** Linux only. */
  libc: { name: 'glibc' | 'musl'; version: string | null } | null;
}

export interface CpuFacts {
  model: string;
  cores: number;
  /** Cores this process may use, which is how many threads compute unless --threads says otherwise. */
  available: number;
  /** Cores a container's quota is worth. */
  quota: number | null;
  /** Of the instruction sets that matter here, those the CPU has. null where the system does not tell. */
  features: string[] | null;
}

export interface MemoryFacts {
  total: number;
  available: number;
  /** Of a container. */
  limit: number | null;
  /** ulimit -v */
  addressSpace: number | null;
  /** Transparent huge pages of Linux: always, madvise or never. */
  hugePages: string | null;
}

export interface DiskFacts {
  /** What is kept there. */
  use: 'runs' | 'temporary' | 'cache';
  path: string;
  free: number | null;
  writable: boolean;
}

export interface AddonFacts {
  /** The file that was loaded; null when none could be. */
  file: string | null;
  /** Of a checkout, of the installed package, or built on this machine into the cache folder. */
  origin: AddonFile['origin'] | null;
  /** Files that are there and do not load. */
  refused: AddonFiles['refused'];
  /** Instruction set its kernels run with. */
  simd: string | null;
}

export interface RuntimeFacts {
  /** ONNX Runtime's library; null when there is none. */
  file: string | null;
  /** What named it. */
  source: '--runtime' | 'SESD_ONNXRUNTIME' | 'onnxruntime-node';
  /** Of the library; null when it could not be loaded. */
  version: string | null;
  /** Of the package onnxruntime-node; null when it is not installed. */
  packageVersion: string | null;
  /** The version of onnxruntime-node this package was tested with. */
  packageExpected: string;
  /** Execution providers it was built with. */
  providers: string[] | null;
  /** Whether it was built with the training API, which --backend ort-training needs. */
  trainingApi: boolean | null;
}

export interface GpuFacts {
  /** Version of NVIDIA's driver. */
  driver: string | null;
  devices: { name: string; memory: number; computeCapability: string }[];
}

/** What --device cuda needs beside a GPU. Nothing of it was loaded. */
export interface CudaFacts {
  /** libcuda.so.1, which comes with the driver. */
  libcuda: string | null;
  /** The CUDA provider that belongs to the runtime, and those that are there and do not. */
  provider: CudaDescription['provider'];
  refused: CudaDescription['refused'];
  /** Libraries of CUDA and cuDNN the provider needs. */
  libraries: CudaDescription['libraries'];
}

export interface SelfTestFacts {
  /** Loss of the embedded model on four rows, the norm of its gradient, and the loss after one update. */
  loss: number;
  gradNorm: number;
  lossAfter: number;
  /** What they should be, to within `tolerance` of it. */
  expected: { loss: number; gradNorm: number; lossAfter: number };
  tolerance: number;
  passed: boolean;
  /** Making the sessions, and the step: forward, backward, update. */
  setUp: number;
  step: number;
}
