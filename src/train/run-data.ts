import type { TrainOptions } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import { encodeAll } from '../tokenizer/encode-all.ts';
import { loadTokenizer } from '../tokenizer/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TrainEvent } from './events.ts';
import { loadData, type NamedExamples, type TrainingData } from './load-data.ts';
import type { ModelFile } from './model-provider.ts';
import { type Problem, stateProblem } from './problem.ts';

/** Examples as the model takes them. */
export interface EncodedSplits {
  train: EncodedExample[];
  dev?: EncodedExample[];
  test?: EncodedExample[];
  /** Others to measure the result on, by name. */
  further?: Record<string, EncodedExample[]>;
}

interface EncodingOptions {
  /** The most tokens of an example. */
  maxLength: number;
  /** Rows of the model's embedding table, which every token has to fit in. */
  vocabulary?: number | undefined;
  signal: AbortSignal;
}

/** The data of a run, read and encoded when it is first asked for. The runs of avg and vote share one. */
export class RunData {
  readonly #options: TrainOptions;
  readonly #listener: (event: TrainEvent) => void;
  #examples: Promise<TrainingData> | undefined;
  #tokenizer: Promise<Tokenizer> | undefined;
  #problem: Problem | undefined;
  #splits: Promise<EncodedSplits> | undefined;
  #maxLength: number | undefined;

  /**
   * @param options say which files; their seed is the one examples are drawn with
   * @param listener is told what the user should know of the data
   */
  constructor(options: TrainOptions, listener: (event: TrainEvent) => void) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Of the encoded examples, when they are: what was asked for, or the most the model takes. */
  get maxLength(): number | undefined {
    return this.#maxLength;
  }

  /** @throws SesdError SESD_BAD_DATA */
  examples(): Promise<TrainingData> {
    this.#examples ??= loadData(this.#options, (message) => this.#listener({ type: 'notice', message }));
    return this.#examples;
  }

  /** Whether any of the examples to train on is two texts. */
  async hasPairs(): Promise<boolean> {
    return (await this.examples()).train.examples.some(({ pair }) => pair !== undefined);
  }

  /** @throws SesdError as stateProblem does */
  async problem(file: ModelFile): Promise<Problem> {
    const { train } = await this.examples();
    this.#problem ??= stateProblem(this.#options, file, train);
    return this.#problem;
  }

  /** @throws SesdError SESD_BAD_TOKENIZER */
  tokenizer({ folder }: ModelFile): Promise<Tokenizer> {
    this.#tokenizer ??= loadTokenizer(this.#options.tokenizer ?? folder);
    return this.#tokenizer;
  }

  /**
   * @param file the model that says what labels and tokens are
   * @throws SesdError SESD_BAD_DATA, SESD_BAD_TOKENIZER, SESD_ABORTED
   */
  encoded(file: ModelFile, how: EncodingOptions): Promise<EncodedSplits> {
    this.#maxLength ??= how.maxLength;
    this.#splits ??= this.#encode(file, how);
    return this.#splits;
  }

  async #encode(file: ModelFile, { maxLength, vocabulary, signal }: EncodingOptions): Promise<EncodedSplits> {
    const data = await this.examples();
    const tokenizer = await this.tokenizer(file);
    const { target } = await this.problem(file);
    if (vocabulary !== undefined) tokenizer.checkFits(vocabulary);
    const { truncate } = this.#options;
    const encode = ({ examples, name }: NamedExamples) =>
      encodeAll(tokenizer, examples, { maxLength, truncate, labels: target.encode(examples, name) }, signal);
    const further: Record<string, EncodedExample[]> = {};
    for (const [name, split] of Object.entries(data.further)) further[name] = await encode(split);
    return {
      train: await encode(data.train),
      ...(data.dev && { dev: await encode(data.dev) }),
      ...(data.test && { test: await encode(data.test) }),
      ...(Object.keys(further).length > 0 && { further }),
    };
  }
}
