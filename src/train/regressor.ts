import type { Example } from '../data/example.ts';
import { numberTarget } from '../data/number-target.ts';
import { SesdError } from '../errors.ts';
import { evaluateValues, type RegressionMetrics } from '../metrics/regression.ts';
import { type LoadOptions, type TextInput, TextModel } from './text-model.ts';

export interface Prediction {
  /** The number that is predicted. */
  value: number;
}

/**
 * Loads a model that predicts numbers to use it.
 *
 * @param path the folder of a run, its model/ folder, or another ONNX model with one logit, config.json and tokenizer
 * @throws SesdError SESD_BAD_MODEL when there is none, SESD_BAD_TOKENIZER, SESD_NATIVE_LOAD
 */
export async function loadRegressor(path: string, options: LoadOptions = {}): Promise<Regressor> {
  const model = await TextModel.open(path, options);
  if (model.isRegression) return new Regressor(model);
  model.close();
  throw new SesdError('SESD_BAD_MODEL', `${model.file} predicts labels, not numbers.`, {
    hint: 'Load it with loadClassifier.',
  });
}

/** A loaded model that predicts numbers. Calls run one after the other; close it when it is not needed any more. */
export class Regressor {
  readonly problemType = 'regression';
  readonly #model: TextModel;

  constructor(model: TextModel) {
    this.#model = model;
  }

  /** Predicts the numbers of texts or pairs; the results are in their order. */
  async predict(
    inputs: readonly TextInput[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Prediction[]> {
    return Array.from(await this.#model.logits(inputs, signal), (value) => ({ value }));
  }

  /**
   * Measures the model on examples whose labels are numbers.
   * @param name of the file they came from, for messages
   * @throws SesdError SESD_BAD_DATA naming the line of a label that is no number
   */
  async evaluate(
    examples: readonly Example[],
    { name = 'the examples', signal }: { name?: string; signal?: AbortSignal } = {},
  ): Promise<RegressionMetrics> {
    const targets = numberTarget.encode(examples, name);
    return evaluateValues(await this.#model.logits(examples, signal), targets);
  }

  close(): void {
    this.#model.close();
  }
}
