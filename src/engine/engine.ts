/**
 * What the trainer needs of a compute backend. An engine holds one model: the student's weights, gradients
 * and moments, and as many further sets of weights as the ensembles ask for, all in its own memory. Only
 * batches, logits and dlogits cross to the host.
 */
export interface Engine {
  readonly parameters: readonly Parameter[];
  readonly student: Weights;
  /** Shapes the model was exported for; absent where it takes any. Batches must then have exactly these. */
  readonly fixed: { rows?: number; length?: number };
  /** Longest sequence the position table allows. */
  readonly maxPositions: number | undefined;
  /** Number of logits per row. */
  readonly classes: number;

  /** A further set of weights, a copy of the student's, in memory and float32 unless said otherwise. */
  createWeights(storage?: WeightStorage): Promise<Weights>;
  /** into ← mean of the sources, summed in float64. */
  mean(into: Weights, sources: readonly Weights[]): Promise<void>;
  /** Does the averages in one pass over a set of weights. */
  average(weights: Weights, averages: readonly Averaging[]): Promise<void>;
  /** The student's logits; what backward needs is kept until the next forward. */
  forward(batch: Batch, options: ForwardOptions): Promise<Logits>;
  /** Adds the gradients of the last forward to those since the last update. dlogits: [rows, classes]. */
  backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void>;
  /**
   * Where there is one, it is called in place of forward, of infer for the teacher, and of backward: the engine computes the
   * loss's gradient itself.
   */
  learn?(batch: Batch, lesson: Lesson, options: ForwardOptions): Promise<Learned>;
  /** One AdamW update of the student from the gathered gradients. Resolves to their norm before clipping. */
  update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  /** Logits with the given weights, however they are stored, without dropout. May run on a batch while nothing else does. */
  infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits>;

  /** AdamW's moments by parameter, for checkpoints. */
  readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray>;
  /** Both are to be written, before training goes on after update `step`. */
  writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>, step: number): Promise<void>;
  close(): void;
}

/** One trained tensor. */
export interface Parameter {
  name: string;
  dims: readonly number[];
  /** Elements. */
  size: number;
  /** Whether weight decay applies: not to biases and LayerNorm. */
  decay: boolean;
  /** The classifier learns with its own rate. */
  group: 'body' | 'head';
  /** What the rate of its group is multiplied by: below 1 for lower layers under --layer-lr-decay. */
  learningRateScale: number;
}

export interface NamedArray {
  name: string;
  data: Float32Array;
}

/**
 * Where a set of weights is kept: as float32 in memory; as bfloat16 there, in half of it, each number within 2⁻⁹ of
 * itself; or as float32 in a file of this folder, which takes no memory that others need.
 */
export type WeightStorage = 'memory' | 'bf16' | { folder: string };

/** A full set of the model's weights in the engine's memory. */
export interface Weights {
  copyFrom(source: Weights): Promise<void>;
  /** Parameter by parameter, in the order of Engine.parameters. */
  read(): AsyncIterable<NamedArray>;
  write(values: AsyncIterable<NamedArray>): Promise<void>;
  release(): void;
}

/**
 * What is done to an average of weights x as these go by. An update does it on its way, so that keeping averages costs
 * no pass over the weights of its own. Averages are float32; copies and `others` may be stored in any way; `residual`
 * is bfloat16.
 */
export type Averaging =
  /** into ← x */
  | { kind: 'copy'; into: Weights }
  /** into ← into + weight·(x − into): an exponential moving average of decay 1 − weight */
  | { kind: 'blend'; into: Weights; weight: number }
  /** into ← mean of `count` sets, x the last of them; `residual` keeps what float32 rounds off, so that it does not drift */
  | { kind: 'running-mean'; into: Weights; residual: Weights; count: number }
  /** into ← mean of the others and x, summed in float64 */
  | { kind: 'mean'; into: Weights; others: readonly Weights[] };

/** A micro-batch, padded at the ends of its rows, which have a token each; each array is [rows × length], row-major. */
export interface Batch {
  rows: number;
  length: number;
  inputIds: BigInt64Array;
  attentionMask: BigInt64Array;
  tokenTypeIds: BigInt64Array;
  /** Rows that hold examples; the rest, if any, is filling for models of a fixed shape. */
  examples: number;
}

/** The loss Σ_rows weight · (CE(z, y) + lambda · mean over the classes of (z − z̄)²), rows of filling not counted. */
export interface Lesson {
  /** Class of each example. */
  labels: readonly number[];
  /** Of each example: one over those of the step. */
  weight: number;
  lambda: number;
  /** Weights whose logits are z̄, made by createWeights() in memory. Absent: plain cross-entropy. */
  teacher?: Weights;
}

export interface Learned {
  logits: Logits;
  teacherLogits?: Logits;
}

export interface Logits {
  /** [rows, classes], row-major. */
  data: Float32Array;
  rows: number;
  classes: number;
}

export interface ForwardOptions {
  /** Key of the counter-based dropout stream: two unsigned 32-bit numbers, new for each micro-batch. */
  dropoutKey: readonly [number, number];
  signal?: AbortSignal;
}

export interface UpdateOptions {
  /** 1-based. */
  step: number;
  learningRate: number;
  headLearningRate: number;
  weightDecay: number;
  maxGradNorm: number;
  /** Averages of the student as it is before the update, and after. None is touched when the gradients are not finite. */
  before?: readonly Averaging[];
  after?: readonly Averaging[];
}
