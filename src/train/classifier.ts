import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncodedExample, Example } from '../data/example.ts';
import { LabelMap } from '../data/labels.ts';
import { SesdError } from '../errors.ts';
import { argmax, type ClassificationMetrics, evaluateLogits, softmax } from '../metrics/classification.ts';
import { encodeAll } from '../tokenizer/encode-all.ts';
import { loadTokenizer } from '../tokenizer/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Truncate } from '../tokenizer/truncation.ts';
import { inferAll } from './evaluate.ts';
import type { ModelFile, OpenedModel, ReadModelFile } from './model-provider.ts';
import { readModelFile } from './open-model.ts';

export interface ClassifierOptions {
  /** tokenizer.json or vocab.txt, or their folder, when not beside the model. */
  tokenizer?: string | undefined;
  /** Longest input in tokens; the one of training when absent. */
  maxLength?: number | undefined;
  truncate?: Truncate | undefined;
  threads?: number | undefined;
  runtime?: string | undefined;
  fuse?: boolean | undefined;
  /** Opens models; the tests put small ones in. */
  readModel?: ReadModelFile;
}

/** A text, or two to be seen together. */
export type ClassifierInput = string | { text: string; pair?: string };

export interface Classification {
  /** The most probable label. */
  label: string;
  /** Its probability. */
  score: number;
  probabilities: Record<string, number>;
  /** In the order of Classifier.labels. */
  logits: number[];
}

/**
 * Loads a classifier to use it.
 *
 * @param path the folder of a run, its model/ folder, or another ONNX classifier with config.json and tokenizer
 * @throws SesdError SESD_BAD_MODEL when there is no classifier, SESD_BAD_TOKENIZER, SESD_NATIVE_LOAD
 */
export async function loadClassifier(path: string, options: ClassifierOptions = {}): Promise<Classifier> {
  const inRun = join(path, 'model');
  const isRun = (await stat(join(inRun, 'model.onnx')).catch(() => undefined)) !== undefined;
  const file = await (options.readModel ?? readModelFile)(isRun ? inRun : path);
  const id2label = file.config?.id2label;
  if (!id2label) throw notClassifier(file, `${join(file.folder, 'config.json')} names no labels (id2label)`);
  const labels = Object.keys(id2label).map((_, id) => id2label[id] ?? `${id}`);
  const tokenizer = await loadTokenizer(options.tokenizer ?? file.folder);
  const { threads, runtime, fuse = true } = options;
  const model = await file.open({
    ...{ classes: labels.length, head: 'auto', dropout: 0, seed: 0, device: 'cpu', precision: 'fp32' },
    ...{ threads, runtime, fuse },
  });
  const { training } = model.report;
  if (training && training.head.kind !== 'existing') {
    model.engine.close();
    throw notClassifier(file, `${file.file} has no classifier of ${labels.length} labels`);
  }
  if (training?.vocabulary !== undefined) tokenizer.checkFits(training.vocabulary);
  return new Classifier(model, tokenizer, file, labels, options);
}

function notClassifier({ file }: ModelFile, reason: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `${file} cannot classify: ${reason}.`, {
    hint: 'Give the folder of a run, or train the model first: npx sesd-train --onnx FILE --train FILE.',
  });
}

/** A loaded classifier. Calls run one after the other; close it when it is not needed any more. */
export class Classifier {
  readonly labels: readonly string[];
  readonly #model: OpenedModel;
  readonly #tokenizer: Tokenizer;
  readonly #id2label: Readonly<Record<string, string>>;
  readonly #encoding: { maxLength: number; truncate: Truncate };
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    model: OpenedModel,
    tokenizer: Tokenizer,
    { config }: ModelFile,
    labels: readonly string[],
    options: ClassifierOptions,
  ) {
    this.labels = labels;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#id2label = Object.fromEntries(labels.map((label, id) => [`${id}`, label]));
    const { fixed, maxPositions = Infinity } = model.engine;
    const trained = config?.sesd_train;
    this.#encoding = {
      maxLength: Math.min(
        options.maxLength ?? trained?.maxLength ?? 128,
        maxPositions,
        fixed.length ?? Infinity,
      ),
      truncate: options.truncate ?? trained?.truncate ?? 'head',
    };
  }

  /** Classifies texts or pairs; the results are in their order. */
  async classify(
    inputs: readonly ClassifierInput[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Classification[]> {
    const examples = inputs.map(
      (input, i): Example => ({
        ...(typeof input === 'string' ? { text: input } : input),
        line: i + 1,
      }),
    );
    const logits = await this.#logits(await this.#encode(examples, undefined, signal), signal);
    const classes = this.labels.length;
    const probabilities = softmax(logits, classes);
    return inputs.map((_, i) => {
      const own = probabilities.subarray(i * classes, (i + 1) * classes);
      const best = argmax(own);
      return {
        label: this.labels[best]!,
        score: own[best]!,
        probabilities: Object.fromEntries(this.labels.map((label, c) => [label, own[c]!])),
        logits: [...logits.subarray(i * classes, (i + 1) * classes)],
      };
    });
  }

  /**
   * Measures the classifier on labelled examples.
   * @param name of the file they came from, for messages
   * @throws SesdError SESD_BAD_DATA naming the line of a label the classifier does not have
   */
  async evaluate(
    examples: readonly Example[],
    { name = 'the examples', signal }: { name?: string; signal?: AbortSignal } = {},
  ): Promise<ClassificationMetrics> {
    const map = LabelMap.fromConfig(this.#id2label, examples, name) ?? new LabelMap(this.labels);
    const labels = map.encode(examples, name);
    const logits = await this.#logits(await this.#encode(examples, labels, signal), signal);
    return evaluateLogits(logits, this.labels.length, labels);
  }

  close(): void {
    this.#model.engine.close();
  }

  #encode(
    examples: readonly Example[],
    labels: Int32Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<EncodedExample[]> {
    return encodeAll(this.#tokenizer, examples, { ...this.#encoding, ...(labels && { labels }) }, signal);
  }

  /** [examples, classes]. The engine runs one batch at a time, so calls wait for those before them. */
  #logits(examples: readonly EncodedExample[], signal: AbortSignal | undefined): Promise<Float32Array> {
    const { engine } = this.#model;
    const { padId } = this.#tokenizer;
    const logits = this.#last.then(() => inferAll(engine, engine.student, examples, { padId, signal }));
    this.#last = logits.catch(() => {});
    return logits;
  }
}
