import type { Parameter } from './engine.ts';

/** A float32 tensor a plan starts from; `bytes` may be an unaligned view into a file. */
export interface InitialTensor {
  dims: readonly number[];
  bytes: Uint8Array;
}

/**
 * What a graph is given of a batch, [rows, length] each but for two. The last three are for graphs that leave padding out:
 * which of rows × length are tokens, [1, tokens]; the place of each row's first token among these, [rows, 1]; and that of
 * each of rows × length, 0 for padding.
 */
export type FeedRole = 'ids' | 'mask' | 'types' | 'positions' | 'tokenRows' | 'firstTokens' | 'paddedTokens';

export interface Feed {
  role: FeedRole;
  /** The graphs' input. */
  name: string;
  dtype: 'int64' | 'int32' | 'float32' | 'bool';
  /** Of positions: that of the first token; 0 when absent. */
  first?: number;
}

/**
 * Three serialized ONNX graphs that together train and run one model. Parameters are graph inputs of the
 * same names in all three, so that one set of weights serves them without a copy.
 */
export interface TrainingPlan {
  parameters: readonly Parameter[];
  /** Weights that are not trained. Graph inputs as the parameters are, so that one copy serves the three graphs. */
  frozen: readonly Parameter[];
  /** The weights to start from, by name of the parameter or frozen weight. */
  initial: ReadonlyMap<string, InitialTensor>;
  /** What the graphs expect of a batch. */
  feeds: readonly Feed[];
  /** Student with dropout: logits, and what backward needs. */
  forward: PlannedGraph & { stash: readonly string[] };
  /**
   * Stash, weights, the batch and `dlogits` to gradients; `gradients` maps a parameter to the output's name. `scaled`: on
   * their way they are float16, whose range is short, so that dlogits have to be scaled.
   */
  backward: PlannedGraph & { dlogits: string; gradients: ReadonlyMap<string, string>; scaled: boolean };
  /** Without dropout and stash. */
  inference: PlannedGraph;
  /** Output of forward and inference: [rows, classes]. */
  logits: string;
  /** Input with the key of the dropout stream, int64[2]; absent when dropout is 0. */
  dropoutKey: string | undefined;
  classes: number;
  fixed: { rows?: number; length?: number };
  maxPositions: number | undefined;
}

export interface PlannedGraph {
  model: Uint8Array;
  /** Parameters and frozen weights this graph reads. */
  weights: readonly string[];
  /** Feeds this graph reads, by name (dropout key included). */
  feeds: readonly string[];
  /** Of graphs for a GPU: computes, on the host and from feeds of a batch, shapes that are further feeds. */
  shapes?: { model: Uint8Array; feeds: readonly string[]; outputs: readonly string[] };
}
