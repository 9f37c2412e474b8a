import os from 'node:os';
import { dirname } from 'node:path';
import { type ModelReport, reportModel } from '../bert/inspect.ts';
import { halfTypes, type PreparedBert, prepareBert } from '../bert/prepare.ts';
import { chooseDevice } from '../engine/backends/cuda/choose-device.ts';
import { graphRunner } from '../engine/backends/graph-runner.ts';
import { openRuntime } from '../engine/backends/onnx-runtime.ts';
import { SesdError } from '../errors.ts';
import type { Architecture, ConfigOptions } from '../export/config.ts';
import { type ExportOptions, exportModel } from '../export/export-model.ts';
import type { EditedOutput, GraphEdit } from '../export/graph-edit.ts';
import type { Graph } from '../graph/graph.ts';
import { importGraph } from '../graph/import.ts';
import { restoreFreshVectors } from '../onnx/fresh-vectors.ts';
import { type OnnxModel, readModel } from '../onnx/read.ts';
import { releaseElements } from '../onnx/release-elements.ts';
import { shareEqualMatrices } from '../onnx/shared-matrices.ts';
import { choosePrecision } from './choose-precision.ts';
import { modelDigest } from './model-digest.ts';
import type {
  ExportExtras,
  ModelConfig,
  ModelFile,
  OpenedModel,
  OpenModelOptions,
} from './model-provider.ts';
import { openEngine } from './open-engine.ts';
import { readConfig } from './read-config.ts';

/** Reads an ONNX file (or a folder's) and the config.json beside it; what is made of it follows from the labels. */
export async function readModelFile(path: string): Promise<ModelFile> {
  const { model, graph } = await load(path);
  const folder = dirname(model.path);
  const config = await readConfig(folder);
  return { file: model.path, folder, config, open: (options) => openModel(model, graph, config, options) };
}

/** What `inspect` tells of a model: also when it cannot be trained. */
export async function inspectModel(
  path: string,
  options: Omit<OpenModelOptions, 'device' | 'precision'>,
): Promise<ModelReport> {
  const { model, graph } = await load(path);
  try {
    const probe = graphRunner({ threads: 1 });
    const config = await readConfig(dirname(model.path));
    return describe(model, graph, await prepareBert(graph, { ...options, config, probe }));
  } catch (error) {
    if (error instanceof SesdError && error.code !== 'SESD_USAGE') return describe(model, graph, error);
    throw error;
  }
}

async function load(path: string): Promise<{ model: OnnxModel; graph: Graph }> {
  const model = await readModel(path);
  shareEqualMatrices(model);
  restoreFreshVectors(model);
  return { model, graph: importGraph(model) };
}

async function openModel(
  model: OnnxModel,
  graph: Graph,
  config: ModelConfig | undefined,
  options: OpenModelOptions,
): Promise<OpenedModel> {
  const machine = {
    threads: options.threads ?? os.availableParallelism(),
    ...(options.runtime === undefined ? {} : { library: options.runtime }),
  };
  const chosenDevice = await chooseDevice(options.device, machine, {
    half: halfTypes[options.precision],
    training: options.backend === 'ort-training',
  });
  const { device, runtime } = chosenDevice;
  const fuse = options.fuse && device === 'cpu';
  const chosen = choosePrecision(options, device, () => openRuntime(runtime).simd);
  const prepared = await prepareBert(graph, {
    ...options,
    config,
    ...{ device, fuse },
    precision: chosen.precision,
    probe: graphRunner(runtime),
  });
  const report = describe(model, graph, prepared);
  const opened = await openEngine(prepared.plan, chosenDevice, options);
  const { engine } = opened;
  const notice = [chosenDevice.notice, opened.notice].filter((each) => each !== undefined).join(' ');
  const edit = headEdit(model, prepared);
  const { parameters, frozen } = prepared.plan;
  const weights = new Set([...parameters, ...frozen].map(({ name }) => name));
  const trained = new Set(parameters.map(({ name }) => name));
  // The engine has the weights now. The file's bytes go before training takes memory: nothing below may refer to them.
  releaseElements(model, trained);
  graph.initializers.clear();
  return {
    engine,
    report,
    device,
    precision: chosen,
    digest: () => modelDigest(model, trained),
    ...(notice !== '' && { notice }),
    export: (folder, beside) =>
      exportModel(folder, {
        source: model,
        edit,
        weights: engine.student.read(),
        ...floatType(beside.exportDtype, weights),
        config: { ...configOptions(config, beside), architecture: architectureOf(report) },
        files: beside.tokenizerFiles,
      }),
  };
}

function describe(model: OnnxModel, graph: Graph, prepared: PreparedBert | SesdError): ModelReport {
  const { producerName, producerVersion, opsetImport } = model.proto;
  const opset = opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0n;
  return reportModel(
    {
      file: model.path,
      producer: [producerName, producerVersion].filter(Boolean).join(' '),
      opset: Number(opset),
      graph,
    },
    prepared,
  );
}

/** The head in terms of the user's graph, which ends up with an output `logits`, as transformers.js expects. */
function headEdit(model: OnnxModel, { head, dropped }: PreparedBert): GraphEdit {
  const logits: EditedOutput = {
    name: 'logits',
    from: head.logits,
    type: { dtype: 'float32', dims: ['batch', head.classes] },
  };
  const { initializers, nodes } = head;
  const kept = model.proto
    .graph!.output.map(({ name }) => ({ name }))
    .filter(({ name }) => !dropped.includes(name));
  return {
    nodes,
    initializers,
    outputs: kept.some(({ name }) => name === 'logits') ? kept : [...kept, logits],
  };
}

function floatType(
  type: ExportExtras['exportDtype'],
  weights: ReadonlySet<string>,
): Pick<ExportOptions, 'dtype'> {
  if (type === 'source') return {};
  return type === 'float32' ? { dtype: { type } } : { dtype: { type, weights } };
}

/** The config.json of a trained model made from one with the config.json `base`. */
export function configOptions(base: ModelConfig | undefined, beside: ExportExtras): ConfigOptions {
  const { problemType, id2label, label2id, maxLength, truncate } = beside;
  return {
    base,
    id2label,
    label2id,
    problemType: problemType === 'regression' ? 'regression' : 'single_label_classification',
    extra: { sesd_train: { maxLength, truncate } },
  };
}

function architectureOf({ training }: ModelReport): Architecture {
  return {
    ...(training?.vocabulary === undefined ? {} : { vocab_size: training.vocabulary }),
    ...(training?.positions === undefined ? {} : { max_position_embeddings: training.positions }),
    ...(training?.types === undefined ? {} : { type_vocab_size: training.types }),
  };
}
