import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import type { ModelFile, OpenedModel, ReadModelFile } from './model-provider.ts';
import { readModelFile } from './open-model.ts';

export interface OpenTrainedOptions {
  /** Where to compute; `auto`, the default, takes the GPU where it works. */
  device?: TrainOptions['device'] | undefined;
  /** Called with what the user is to know of the device: the GPU that `auto` took, or why it did not take the one there is. */
  onNotice?: ((message: string) => void) | undefined;
  threads?: number | undefined;
  runtime?: string | undefined;
  fuse?: boolean | undefined;
  /** Opens models; the tests put small ones in. */
  readModel?: ReadModelFile | undefined;
}

/** A fine-tuned model; the engine's student has its weights, and whoever opened it closes the engine. */
export interface TrainedModel {
  file: ModelFile;
  model: OpenedModel;
  /** In the order of the logits. */
  labels: readonly string[];
  /** The one logit is a number, in place of that of a label. */
  isRegression: boolean;
}

/** The ONNX model at a path: that of a run, if the path is a run's folder. */
export async function readTrained(
  path: string,
  readModel: ReadModelFile = readModelFile,
): Promise<ModelFile> {
  const inRun = join(path, 'model');
  const isRun = (await stat(join(inRun, 'model.onnx')).catch(() => undefined)) !== undefined;
  return readModel(isRun ? inRun : path);
}

/**
 * Opens a classifier to use it.
 *
 * @param path the folder of a run, its model/ folder, or another ONNX classifier with config.json and tokenizer
 * @throws SesdError SESD_BAD_MODEL when there is no classifier, SESD_NATIVE_LOAD
 */
export async function openTrained(path: string, options: OpenTrainedOptions = {}): Promise<TrainedModel> {
  const file = await readTrained(path, options.readModel);
  const id2label = file.config?.id2label;
  if (!id2label) throw notClassifier(file, `${join(file.folder, 'config.json')} names no labels (id2label)`);
  const labels = Object.keys(id2label).map((_, id) => id2label[id] ?? `${id}`);
  const { device = 'auto', threads, runtime, fuse = true } = options;
  const model = await file.open({
    ...{ classes: labels.length, head: 'auto', dropout: 0, seed: 0, precision: 'fp32' },
    ...{ device, threads, runtime, fuse },
  });
  const head = model.report.training?.head.kind ?? 'existing';
  if (head !== 'existing' && head !== 'vote') {
    model.engine.close();
    throw notClassifier(file, `${file.file} has no classifier of ${labels.length} labels`);
  }
  if (model.notice !== undefined) options.onNotice?.(model.notice);
  // As transformers has it, one label alone is a number too.
  const isRegression = file.config?.problem_type === 'regression' || labels.length === 1;
  return { file, model, labels, isRegression };
}

function notClassifier({ file }: ModelFile, reason: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `${file} cannot classify: ${reason}.`, {
    hint: 'Give the folder of a run, or train the model first: npx sesd-train --onnx FILE --train FILE.',
  });
}
