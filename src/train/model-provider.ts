import type { ModelReport } from '../bert/inspect.ts';
import type { TrainOptions } from '../config/train-options.ts';
import type { Engine } from '../engine/engine.ts';
import type { TokenizerFile } from '../tokenizer/tokenizer.ts';
import type { Truncate } from '../tokenizer/truncation.ts';
import type { ChosenPrecision } from './choose-precision.ts';

/** What is read of Hugging Face's config.json; an exported one keeps the rest. */
export interface ModelConfig {
  id2label?: Readonly<Record<string, string>>;
  problem_type?: string;
  model_type?: unknown;
  pad_token_id?: unknown;
  /** Written by this package: how texts were cut in training. */
  sesd_train?: { maxLength: number; truncate: Truncate };
  [key: string]: unknown;
}

/** A model's file, read but not prepared: what is made of it depends on the labels of the data. */
export interface ModelFile {
  /** The ONNX file. */
  file: string;
  /** Where tokenizer and config.json are looked for. */
  folder: string;
  config: ModelConfig | undefined;
  /**
   * To be called once: what was read is let go as soon as the engine has it.
   * @throws SesdError SESD_BAD_MODEL, SESD_UNSUPPORTED_OP, SESD_NO_GRADIENT_RULE, SESD_NATIVE_LOAD
   */
  open(options: OpenModelOptions): Promise<OpenedModel>;
}

export interface OpenModelOptions
  extends Pick<TrainOptions, 'head' | 'dropout' | 'fuse' | 'seed' | 'device' | 'precision'>,
    Partial<
      Pick<
        TrainOptions,
        | 'freeze'
        | 'layerLrDecay'
        | 'reinitTop'
        | 'backend'
        | 'wholeStep'
        | 'strategy'
        | 'lr'
        | 'headLr'
        | 'weightDecay'
        | 'maxGradNorm'
      >
    > {
  classes: number;
  threads?: number | undefined;
  runtime?: string | undefined;
}

/** A model ready to train or to run. */
export interface OpenedModel {
  engine: Engine;
  report: ModelReport;
  /** Where it is computed. */
  device: 'cpu' | 'cuda';
  precision: ChosenPrecision;
  /** A digest of what checkpoints do not hold of the model. */
  digest(): Promise<string>;
  /** What the user is to know of the engine. */
  notice?: string;
  /**
   * Writes the model with the student's weights to a folder that does not exist yet: model.onnx, config.json
   * and the tokenizer's files.
   * @throws SesdError SESD_OUTPUT
   */
  export(folder: string, beside: ExportExtras): Promise<void>;
}

export interface ExportExtras {
  problemType: TrainOptions['problemType'];
  id2label: Readonly<Record<string, string>>;
  label2id: Readonly<Record<string, number>>;
  tokenizerFiles: readonly TokenizerFile[];
  /** The float type of model.onnx. */
  exportDtype: TrainOptions['exportDtype'];
  /** Kept in config.json as `sesd_train`. */
  maxLength: number;
  truncate: Truncate;
}

/**
 * Reads the model at a path: an ONNX file, or a folder that has one.
 * @throws SesdError SESD_BAD_MODEL
 */
export type ReadModelFile = (path: string) => Promise<ModelFile>;
