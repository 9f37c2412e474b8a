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

  /** A further set of weights, a copy of the student's. */
  createWeights(): Promise<Weights>;
  /** The student's logits; what backward needs is kept until the next forward. */
  forward(batch: Batch, options: ForwardOptions): Promise<Logits>;
  /** Adds the gradients of the last forward to those since the last update. dlogits: [rows, classes]. */
  backward(dlogits: Float32Array, signal?: AbortSignal): Promise<void>;
  /** One AdamW update of the student from the gathered gradients. Resolves to their norm before clipping. */
  update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  /** Logits with the given weights, without dropout. May run on a batch while nothing else does. */
  infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits>;

  /** AdamW's moments by parameter, for checkpoints. */
  readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray>;
  writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>): Promise<void>;
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
}

export interface NamedArray {
  name: string;
  data: Float32Array;
}

/** A full set of the model's weights in the engine's memory. */
export interface Weights {
  copyFrom(source: Weights): Promise<void>;
  /** this ← this + weight·(source − this). */
  blend(source: Weights, weight: number): Promise<void>;
  /** this ← mean of the sources. */
  meanOf(sources: readonly Weights[]): Promise<void>;
  /** Parameter by parameter, in the order of Engine.parameters. */
  read(): AsyncIterable<NamedArray>;
  write(values: AsyncIterable<NamedArray>): Promise<void>;
  release(): void;
}

/** A padded micro-batch; each array is [rows × length], row-major. */
export interface Batch {
  rows: number;
  length: number;
  inputIds: BigInt64Array;
  attentionMask: BigInt64Array;
  tokenTypeIds: BigInt64Array;
  /** Rows that hold examples; the rest, if any, is filling for models of a fixed shape. */
  examples: number;
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
}
