import type { Example } from '../data/example.ts';
import { encodeAll } from '../tokenizer/encode-all.ts';
import { loadTokenizer } from '../tokenizer/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Truncate } from '../tokenizer/truncation.ts';
import { inferAll } from './evaluate.ts';
import { type OpenTrainedOptions, openTrained, type TrainedModel } from './trained-model.ts';

export interface LoadOptions extends OpenTrainedOptions {
  /** tokenizer.json or vocab.txt, or their folder, when not beside the model. */
  tokenizer?: string | undefined;
  /** Longest input in tokens; the one of training when absent. */
  maxLength?: number | undefined;
  truncate?: Truncate | undefined;
}

/** A text, or two to be seen together. */
export type TextInput = string | { text: string; pair?: string };

/** A trained model at work, from texts to logits. Calls run one after the other. */
export class TextModel {
  readonly #trained: TrainedModel;
  readonly #tokenizer: Tokenizer;
  readonly #encoding: { maxLength: number; truncate: Truncate };
  #last: Promise<unknown> = Promise.resolve();

  private constructor(trained: TrainedModel, tokenizer: Tokenizer, options: LoadOptions) {
    this.#trained = trained;
    this.#tokenizer = tokenizer;
    const { fixed, maxPositions = Infinity } = trained.model.engine;
    const training = trained.file.config?.sesd_train;
    this.#encoding = {
      maxLength: Math.min(
        options.maxLength ?? training?.maxLength ?? 128,
        maxPositions,
        fixed.length ?? Infinity,
      ),
      truncate: options.truncate ?? training?.truncate ?? 'head',
    };
  }

  /**
   * @param path the folder of a run, its model/ folder, or another ONNX model with config.json and tokenizer
   * @throws SesdError SESD_BAD_MODEL when there is none, SESD_BAD_TOKENIZER, SESD_NATIVE_LOAD
   */
  static async open(path: string, options: LoadOptions): Promise<TextModel> {
    const trained = await openTrained(path, options);
    const { file, model } = trained;
    try {
      const tokenizer = await loadTokenizer(options.tokenizer ?? file.folder);
      const { training } = model.report;
      if (training?.vocabulary !== undefined) tokenizer.checkFits(training.vocabulary);
      return new TextModel(trained, tokenizer, options);
    } catch (error) {
      model.engine.close();
      throw error;
    }
  }

  /** The ONNX file. */
  get file(): string {
    return this.#trained.file.file;
  }

  /** In the order of the logits. */
  get labels(): readonly string[] {
    return this.#trained.labels;
  }

  get isRegression(): boolean {
    return this.#trained.isRegression;
  }

  /** Logits of inputs, [inputs, labels], in their order. The engine runs one batch at a time: calls wait. */
  async logits(inputs: readonly TextInput[], signal: AbortSignal | undefined): Promise<Float32Array> {
    const examples = inputs.map(
      (input, i): Example => ({
        ...(typeof input === 'string' ? { text: input } : input),
        line: i + 1,
      }),
    );
    const encoded = await encodeAll(this.#tokenizer, examples, this.#encoding, signal);
    const { engine } = this.#trained.model;
    const { padId } = this.#tokenizer;
    const logits = this.#last.then(() => inferAll(engine, engine.student, encoded, { padId, signal }));
    this.#last = logits.catch(() => {});
    return logits;
  }

  close(): void {
    this.#trained.model.engine.close();
  }
}
