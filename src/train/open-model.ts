import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Head } from '../bert/head.ts';
import { reportModel } from '../bert/inspect.ts';
import { prepareBert } from '../bert/prepare.ts';
import { createEngine } from '../engine/backends/onnx-runtime.ts';
import { SesdError } from '../errors.ts';
import { exportModel } from '../export/export-model.ts';
import type { GraphEdit } from '../export/graph-edit.ts';
import { importGraph } from '../graph/import.ts';
import { type OnnxModel, readModel } from '../onnx/read.ts';
import type { ModelConfig, ModelFile, OpenedModel, OpenModelOptions } from './model-provider.ts';

/**
 * Reads the model at a path: an ONNX file, or a folder that has one.
 * @throws SesdError SESD_BAD_MODEL
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const source = await readModel(path);
  const folder = dirname(source.path);
  const config = await readConfig(folder);
  return { file: source.path, folder, config, open: (options) => open(source, config, options) };
}

/** config.json beside the model, or above it where the model lies in onnx/ as transformers.js wants it. */
async function readConfig(folder: string): Promise<ModelConfig | undefined> {
  const path = join(folder, 'config.json');
  const content = await readFile(path, 'utf8').catch(() => undefined);
  if (content === undefined) return undefined;
  try {
    return JSON.parse(content) as ModelConfig;
  } catch (cause) {
    throw new SesdError('SESD_BAD_MODEL', `${path} is not valid JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function open(
  source: OnnxModel,
  config: ModelConfig | undefined,
  { threads = availableParallelism(), runtime, ...options }: OpenModelOptions,
): Promise<OpenedModel> {
  const graph = importGraph(source);
  const prepared = prepareBert(graph, options);
  const { producerName: producer } = source.proto;
  const report = reportModel({ file: source.path, producer, opset: graph.opset, graph }, prepared);
  const engine = await createEngine(prepared.plan, {
    threads,
    ...(runtime !== undefined && { library: runtime }),
  });
  return {
    engine,
    report,
    export: (folder, { id2label, label2id, tokenizerFiles, maxLength, truncate }) =>
      exportModel(folder, {
        source,
        edit: editFor(prepared.head),
        weights: engine.student.read(),
        config: { base: config, id2label, label2id, extra: { sesd_train: { maxLength, truncate } } },
        files: tokenizerFiles,
      }),
  };
}

/** A head the model had stays as it is; a new one becomes its output. */
function editFor({ kind, nodes, initializers, logits, classes }: Head): GraphEdit {
  if (kind === 'existing') return {};
  const type = { dtype: 'float32' as const, dims: ['batch', classes] };
  return { nodes, initializers, outputs: [{ name: 'logits', from: logits, type }] };
}
