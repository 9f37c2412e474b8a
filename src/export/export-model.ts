import { join } from 'node:path';
import { outputError, writeFileAtomically } from '../onnx/atomic-write.ts';
import type { OnnxModel } from '../onnx/read.ts';
import { within } from '../onnx/tensor.ts';
import { type WriteOptions, writeModel } from '../onnx/write.ts';
import { type ConfigOptions, classifierConfig } from './config.ts';
import { editModel, type GraphEdit } from './graph-edit.ts';
import { makeFolder } from './make-folder.ts';
import { narrowWeights } from './narrow-weights.ts';
import { widenModel } from './widen-model.ts';

/** float32 throughout, or float32 with these weights stored as float16. */
export type FloatType = { type: 'float32' } | { type: 'float16'; weights: ReadonlySet<string> };

export interface ExportOptions extends Pick<WriteOptions, 'weights' | 'inlineLimit'> {
  /** The user's model. */
  source: OnnxModel;
  /** How its graph is changed, if at all. */
  edit?: GraphEdit;
  config: ConfigOptions;
  /** The float type of what is written; its own, when absent. */
  dtype?: FloatType;
  /** The tokenizer's files, written as they are. */
  files?: readonly { name: string; content: Uint8Array }[];
}

/**
 * Writes a folder that onnxruntime-node and transformers.js load as it is: model.onnx (the user's own graph
 * with new weights, in its own element types or those of `dtype`, and whatever `edit` adds), config.json and the
 * other files.
 * Weights over 2 GB go to model.onnx_data, which config.json then tells transformers.js.
 *
 * @param folder Made when it does not exist. Every file appears complete or not at all.
 * @throws SesdError SESD_OUTPUT naming what cannot be written; see `editModel` for the others.
 */
export async function exportModel(folder: string, options: ExportOptions): Promise<void> {
  const { source, edit = {}, weights = [], inlineLimit, dtype, files = [] } = options;
  let model: OnnxModel;
  try {
    model = inFloatType({ ...source, proto: editModel(source.proto, edit) }, dtype);
  } catch (error) {
    throw within(source.path, error);
  }
  await makeFolder(folder).catch((error: unknown) => {
    throw outputError(folder, error);
  });
  for (const { name, content } of files) await writeFileAtomically(join(folder, name), content);
  const { dataPath } = await writeModel(join(folder, 'model.onnx'), model, {
    weights,
    ...(inlineLimit !== undefined && { inlineLimit }),
  });
  const config = classifierConfig(options.config);
  if (dataPath !== undefined) config['transformers.js_config'] = { use_external_data_format: true };
  await writeFileAtomically(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

function inFloatType(model: OnnxModel, dtype: FloatType | undefined): OnnxModel {
  if (dtype === undefined) return model;
  const widened = widenModel(model);
  return dtype.type === 'float16' ? narrowWeights(widened, dtype.weights) : widened;
}
