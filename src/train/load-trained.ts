import { Classifier } from './classifier.ts';
import { Regressor } from './regressor.ts';
import { type LoadOptions, TextModel } from './text-model.ts';

/**
 * Loads a trained model of either kind; `problemType` tells which.
 *
 * @param path the folder of a run, its model/ folder, or another ONNX model with config.json and tokenizer
 * @throws SesdError SESD_BAD_MODEL when there is none, SESD_BAD_TOKENIZER, SESD_NATIVE_LOAD
 */
export async function loadTrained(path: string, options: LoadOptions = {}): Promise<Classifier | Regressor> {
  const model = await TextModel.open(path, options);
  return model.isRegression ? new Regressor(model) : new Classifier(model);
}
