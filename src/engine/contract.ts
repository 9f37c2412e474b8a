/**
 * The whole surface of the native addon (native/addon.cc). The addon is mechanism only: it knows tensors,
 * sessions and arenas, nothing of epochs, teachers or labels. Every method that returns a promise does its
 * work on a worker thread and touches no JavaScript value there; failures reject with an Error whose
 * `code` is `SESD_RUNTIME` and whose message is the native one.
 */

export interface NativeAddon {
  /** Loads ONNX Runtime once per process; later calls return what is loaded. Throws when it cannot. */
  open(options: { library: string; threads: number }): RuntimeInfo;
  /** Loads shared libraries, in this order, for those that need them later. Rejects with what the system's loader says. */
  preload(files: readonly string[]): Promise<void>;
  /**
   * Zero-filled float32 memory, 2 MB-aligned on huge pages where the system has them; taken as it is touched. With `folder` it lies over a
   * file there, which has no name and goes with the arena: the system may take the memory back for other uses.
   */
  createArena(length: number, folder?: string): Promise<NativeArena>;
  /** Zero-filled bfloat16 memory: half the size, values to 8 significant bits. */
  createBf16Arena(length: number): Promise<NativeBf16Arena>;
  /** A session over a serialized ONNX ModelProto. The bytes may be dropped once the promise settles. */
  createSession(model: Uint8Array, options: SessionOptions): Promise<NativeSession>;
  /** A session of the runtime's training API, which `RuntimeInfo.training` tells of. The options are those of its three models. */
  createTrainingSession(models: TrainingModels, options: SessionOptions): Promise<NativeTrainingSession>;
  /** dst ← mean of sources, element-wise, summed in float64. dst may be one of them. All lengths equal. */
  mean(dst: NativeArena, sources: readonly AnyArena[]): Promise<void>;
  /** Does all of the averages in one pass over the weights. */
  average(weights: NativeArena, averages: readonly NativeAveraging[]): Promise<void>;
  /** dst ← dst + src. */
  add(dst: NativeArena, src: NativeArena): Promise<void>;
  /** Global norm, clipping and AdamW in one call. See AdamWOptions. Resolves to the norm before clipping. */
  adamw(options: AdamWOptions): Promise<number>;
}

export interface RuntimeInfo {
  /** The file that was loaded, which an earlier call may have named. */
  library: string;
  /** ONNX Runtime's version, e.g. "1.30.0". */
  version: string;
  /** Execution providers the library has, e.g. ["CPUExecutionProvider"]. */
  providers: string[];
  threads: number;
  /** Whether the library was built with the training API. */
  training: boolean;
  /** Instruction set the fused kernels run with: "avx512_bf16", "avx512", "avx2", "neon", "portable". */
  simd: string;
}

export interface SessionOptions {
  /** Intra-op threads of this session; the runtime's shared pool when absent. */
  threads?: number;
  /** Path prefix of a profile to record. */
  profile?: string;
  /** Options of the CUDA provider, as the runtime names them; the session then computes on that device. */
  cuda?: Readonly<Record<string, string>>;
  /** Refuse a graph of which any node would run on the CPU, where the runtime puts what computes shapes. */
  deviceOnly?: boolean;
}

/** Float32 memory. Counted towards V8's external memory; freed by release() or the garbage collector. */
export interface NativeArena {
  /** Elements, not bytes. 0 after release(). */
  readonly length: number;
  /** Copies `source` to offset (elements). `source` must not change until the promise settles. */
  write(offset: number, source: Float32Array): Promise<void>;
  /** The same from the bytes of float32 elements as a file has them, at any place in their buffer. */
  writeBytes(offset: number, source: Uint8Array): Promise<void>;
  /** Copies `length` elements from offset into a new array. */
  read(offset: number, length: number): Promise<Float32Array>;
  copyFrom(source: NativeArena): Promise<void>;
  fill(value: number): Promise<void>;
  release(): void;
}

/** Bfloat16 memory; what goes in is rounded to the nearest, ties to even. */
export interface NativeBf16Arena {
  readonly length: number;
  write(offset: number, source: Float32Array): Promise<void>;
  read(offset: number, length: number): Promise<Float32Array>;
  release(): void;
}

export type AnyArena = NativeArena | NativeBf16Arena;

/** What is done, element-wise, to an average of the weights x. Every arena is as long as x's and another one. */
export type NativeAveraging =
  /** into ← x */
  | { kind: 'copy'; into: AnyArena }
  /** into ← into + weight·(x − into): an exponential moving average of decay 1 − weight */
  | { kind: 'blend'; into: NativeArena; weight: number }
  /** into ← mean of `count` sets, x the last; `residual` keeps what float32 rounds off, so that no sum drifts */
  | { kind: 'running-mean'; into: NativeArena; residual: NativeBf16Arena; count: number }
  /** into ← mean of the others and x, summed in float64 */
  | { kind: 'mean'; into: NativeArena; others: readonly AnyArena[] };

/** A tensor that lies in an arena, or in what a session made. */
export interface ArenaSlice {
  /** Name of the session's input or output it is bound to. */
  name: string;
  arena: NativeArena | NativeTensor;
  /** Elements from the start of the arena. */
  offset: number;
  dims: readonly number[];
}

export type HostArray = Float32Array | BigInt64Array | Int32Array | Uint8Array;
export type HostDtype = 'float32' | 'int64' | 'int32' | 'bool' | 'uint8';

/** A tensor in JavaScript memory; copied on the way in and on the way out. */
export interface HostTensor {
  dtype: HostDtype;
  dims: readonly number[];
  data: HostArray;
}

export interface NativeSession {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Binds weights once: a run then passes only what changes. The arenas live as long as the binding. */
  bind(slices: BindingSlices): NativeBinding;
  /** Ends profiling and returns the profile's path. */
  endProfiling(): string;
  release(): void;
}

export interface BindingSlices {
  inputs: readonly ArenaSlice[];
  outputs?: readonly ArenaSlice[];
  /** Outputs may lie over inputs. Only for graphs whose node that writes one is the last to read it, element by element. */
  inPlace?: boolean;
}

export interface RunRequest {
  /** Tensors of this run by input name. */
  feeds: Readonly<Record<string, HostTensor>>;
  /** Values an earlier run kept, bound to the inputs of the same names this session has. */
  stash?: NativeStash;
  /** Outputs to copy to the host. */
  fetch: readonly string[];
  /** Outputs to keep in native memory, returned as a stash. */
  keep?: readonly string[];
}

export interface RunResult {
  fetched: Record<string, HostTensor>;
  /** Present when `keep` was given. */
  stash?: NativeStash;
}

export interface NativeBinding {
  /** One run at a time; a second call while one is under way rejects. */
  run(request: RunRequest): Promise<RunResult>;
  /** Ends the run under way: it rejects with code SESD_ABORTED. No effect when idle. */
  cancel(): void;
  release(): void;
}

/** Named values of one run, in native memory. */
export interface NativeStash {
  readonly bytes: number;
  /** One of its values, to be bound to other runs; it stays when the stash is released. */
  tensor(name: string): NativeTensor;
  release(): void;
}

/** Memory of a value that a session made, on the device it computes on. Freed by release() or the garbage collector. */
export interface NativeTensor {
  /** Elements. 0 after release(). */
  readonly length: number;
  release(): void;
}

/** What a training session is made of. The bytes may be dropped once the promise settles. */
export interface TrainingModels {
  /** The runtime's checkpoint format: names of the parameters, perhaps their values and the optimizer's moments. */
  checkpoint: Uint8Array;
  /** Serialized ModelProtos; ort-training-models.ts says what they must have. */
  train: Uint8Array;
  /** Without, there is no evalStep(). */
  eval?: Uint8Array;
  optimizer: Uint8Array;
}

/**
 * Parameters, gradients and moments in the runtime's own memory. One call at a time works, others wait; none can be
 * cancelled, as the runtime does not look between the nodes of a step.
 */
export interface NativeTrainingSession {
  /** The values of a checkpoint's parameters that it only named: all of them, in the training model's order. */
  initialize(parameters: readonly ArenaSlice[]): Promise<void>;
  /** Parameters ← arenas. */
  write(parameters: readonly ArenaSlice[]): Promise<void>;
  /** Arenas ← parameters. */
  read(parameters: readonly ArenaSlice[]): Promise<void>;
  evalStep(request: RunRequest): Promise<RunResult>;
  /** Adds to the gradients. `outputs` go to arenas. */
  trainStep(request: RunRequest, outputs: readonly ArenaSlice[]): Promise<RunResult>;
  /** The next training step begins the gradients anew. */
  resetGradients(): Promise<void>;
  optimizerStep(learningRate: number): Promise<void>;
  /** Writes a checkpoint with parameters and moments. */
  save(path: string): Promise<void>;
  release(): void;
}

export interface AdamWOptions {
  weights: NativeArena;
  gradients: NativeArena;
  /** First and second moments. */
  m: NativeArena;
  v: NativeArena;
  /** Disjoint, ascending ranges of the arenas and the rates they are updated with. */
  segments: readonly { offset: number; length: number; learningRate: number; weightDecay: number }[];
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1-based, for bias correction. */
  step: number;
  /** Gradients are scaled by maxNorm/(norm + 1e-6) when their global L2 norm exceeds it; Infinity: never. */
  maxGradNorm: number;
  /** Averages of the weights in the segments, done in the same pass, before they change and after. */
  before?: readonly NativeAveraging[];
  after?: readonly NativeAveraging[];
}
// adamw: p −= lr·wd·p, then p −= lr·m̂/(√v̂ + ε). The norm is summed in float64 over fixed chunks in a fixed
// order, so it does not depend on the number of threads. When it is not finite nothing is changed.
