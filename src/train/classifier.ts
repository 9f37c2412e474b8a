import type { Example } from '../data/example.ts';
import { LabelMap } from '../data/labels.ts';
import { SesdError } from '../errors.ts';
import { argmax, type ClassificationMetrics, evaluateLogits, softmax } from '../metrics/classification.ts';
import { type LoadOptions, type TextInput, TextModel } from './text-model.ts';

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
export async function loadClassifier(path: string, options: LoadOptions = {}): Promise<Classifier> {
  const model = await TextModel.open(path, options);
  if (!model.isRegression) return new Classifier(model);
  model.close();
  throw new SesdError('SESD_BAD_MODEL', `${model.file} predicts numbers, not labels.`, {
    hint: 'Load it with loadRegressor.',
  });
}

/** A loaded classifier. Calls run one after the other; close it when it is not needed any more. */
export class Classifier {
  readonly problemType = 'classification';
  readonly labels: readonly string[];
  readonly #model: TextModel;

  constructor(model: TextModel) {
    this.#model = model;
    this.labels = model.labels;
  }

  /** Classifies texts or pairs; the results are in their order. */
  async classify(
    inputs: readonly TextInput[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Classification[]> {
    const logits = await this.#model.logits(inputs, signal);
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
    const id2label = Object.fromEntries(this.labels.map((label, id) => [`${id}`, label]));
    const map = LabelMap.fromConfig(id2label, examples, name) ?? new LabelMap(this.labels);
    const labels = map.encode(examples, name);
    return evaluateLogits(await this.#model.logits(examples, signal), this.labels.length, labels);
  }

  close(): void {
    this.#model.close();
  }
}
