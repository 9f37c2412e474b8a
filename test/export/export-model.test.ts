import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SesdError } from '../../src/errors.ts';
import { classifierConfig } from '../../src/export/config.ts';
import { exportModel } from '../../src/export/export-model.ts';
import { editModel, type GraphEdit } from '../../src/export/graph-edit.ts';
import { type AttributeInit, float32Tensor, int64Tensor, toAttribute } from '../../src/graph/builder.ts';
import type { Node, TensorData } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import type { ModelProto } from '../../src/onnx/generated/onnx_pb.ts';
import { float32ToFloat16 } from '../../src/onnx/half.ts';
import { type OnnxModel, readModel } from '../../src/onnx/read.ts';
import { floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { buildModel, bytesOf, float, int64, node } from '../onnx/build-model.ts';
import { difference, type Feed, runModel } from '../onnx/run-model.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-export-'));
});
after(() => rm(folder, { recursive: true }));

let next = 0;
const newFolder = () => join(folder, String(next++));

const hidden = 6;
const vocabulary = 10;
const table = (seed: number, length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(3 * i + seed));

/** ids [batch, sequence] → last_hidden_state and pooled, in the float type given. */
function encoder(opset: number, dtype: 'float32' | 'float16' = 'float32'): ModelProto {
  const tensor = (data: Float32Array, dims: number[]): TensorData =>
    dtype === 'float32' ? float32Tensor(data, dims) : { dtype, dims, bytes: float32ToFloat16(data) };
  return buildModel({
    opset,
    inputs: { input_ids: int64('batch', 'sequence') },
    outputs: {
      last_hidden_state: { dtype, dims: ['batch', 'sequence', hidden] },
      pooler_output: { dtype, dims: ['batch', hidden] },
    },
    nodes: [
      node('Gather', ['words', 'input_ids'], ['embedded']),
      node('MatMul', ['embedded', 'dense'], ['last_hidden_state']),
      node('Constant', [], ['first'], { value: int64Tensor([0], []) }),
      node('Gather', ['last_hidden_state', 'first'], ['cls'], { axis: 1 }),
      node('Gemm', ['cls', 'pooler'], ['pooled']),
      node('Tanh', ['pooled'], ['pooler_output']),
    ],
    initializers: {
      words: tensor(table(1, vocabulary * hidden), [vocabulary, hidden]),
      dense: tensor(table(2, hidden * hidden), [hidden, hidden]),
      pooler: tensor(table(3, hidden * hidden), [hidden, hidden]),
    },
  });
}

const headNode = (
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, AttributeInit> = {},
): Node => ({
  name: `head/${op}`,
  op,
  domain: '',
  inputs,
  outputs: [output],
  attributes: new Map(Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)])),
});

const weight = table(4, 3 * hidden);
const bias = Float32Array.of(0.5, -1, 2);

/** logits = mean over the sequence · Wᵀ + b, the mean by a sum over an axis input as opset 18 spells it. */
function meanHead(): GraphEdit {
  return {
    nodes: [
      headNode('ReduceMean', ['last_hidden_state', 'axes'], 'mean', { keepdims: 0 }),
      headNode('Gemm', ['mean', 'classifier.weight', 'classifier.bias'], 'logits', { transB: 1 }),
    ],
    initializers: new Map([
      ['axes', int64Tensor([1])],
      ['classifier.weight', float32Tensor(new Float32Array(3 * hidden), [3, hidden])],
      ['classifier.bias', float32Tensor(new Float32Array(3), [3])],
    ]),
    outputs: [{ name: 'logits', type: float('batch', 3) }],
  };
}

const ids: Feed = { type: 'int64', dims: [2, 4], data: BigInt64Array.of(1n, 2n, 3n, 4n, 9n, 8n, 7n, 0n) };
const sourceOf = (proto: ModelProto): OnnxModel => ({ path: 'source.onnx', proto, external: new Map() });
const labels = { id2label: { 0: 'no', 1: 'yes', 2: 'maybe' }, label2id: { no: 0, yes: 1, maybe: 2 } };

/** What the head should give for these states. */
function expectedLogits(states: ArrayLike<number | bigint>): number[] {
  const logits: number[] = [];
  for (let row = 0; row < 2; row++) {
    for (let label = 0; label < 3; label++) {
      let sum = bias[label]!;
      for (let at = 0; at < 4; at++) {
        for (let h = 0; h < hidden; h++) {
          sum += (Number(states[(row * 4 + at) * hidden + h]) * weight[label * hidden + h]!) / 4;
        }
      }
      logits.push(sum);
    }
  }
  return logits;
}

async function exportWithHead(proto: ModelProto): Promise<string> {
  const path = newFolder();
  await exportModel(path, {
    source: sourceOf(proto),
    edit: meanHead(),
    weights: [
      { name: 'classifier.weight', data: weight },
      { name: 'classifier.bias', data: bias },
    ],
    config: labels,
  });
  return path;
}

test('an attached head is written in the opset of the model, at every opset', async () => {
  for (const opset of [11, 12, 13, 17, 18, 20]) {
    const proto = encoder(opset);
    const path = await exportWithHead(proto);
    const [before, after] = [
      await runModel(bytesOf(proto), { input_ids: ids }),
      await runModel(join(path, 'model.onnx'), { input_ids: ids }),
    ];
    const logits = { dims: [2, 3], data: expectedLogits(before.last_hidden_state!.data) };
    assert.ok(difference(logits, after.logits!) < 1e-6, `opset ${opset}`);
    assert.deepEqual(Object.keys(after), ['logits']);
    const { proto: written } = await readModel(path);
    assert.equal(Number(written.opsetImport[0]!.version), opset);
    const ops = written.graph!.node.map(({ opType }) => opType);
    assert.deepEqual(ops, ['Gather', 'MatMul', 'ReduceMean', 'Gemm'], 'the pooler nobody reads is gone');
    assert.ok(written.graph!.initializer.every(({ name }) => name !== 'pooler'));
    assert.equal(
      written.graph!.initializer.some(({ name }) => name === 'axes'),
      opset >= 18,
    );
  }
});

test('old outputs may stay behind the new one', async () => {
  const edit = meanHead();
  const outputs = [...edit.outputs!, { name: 'last_hidden_state' }, { name: 'pooler_output' }];
  const { graph } = editModel(encoder(14), { ...edit, outputs });
  assert.deepEqual(
    graph!.output.map(({ name }) => name),
    ['logits', 'last_hidden_state', 'pooler_output'],
  );
  assert.ok(graph!.output.every(({ type }) => type !== undefined));
  assert.equal(graph!.node.length, 8);
});

test('a float16 model stays one; what is attached computes in float32', async () => {
  const proto = encoder(17, 'float16');
  const path = await exportWithHead(proto);
  const model = await readModel(path);
  const types = new Map(model.proto.graph!.initializer.map(({ name, dataType }) => [name, dataType]));
  assert.equal(types.get('words'), 10);
  assert.equal(types.get('classifier.weight'), 1);
  const { logits } = await runModel(join(path, 'model.onnx'), { input_ids: ids });
  const states = await runModel(bytesOf(encoder(17)), { input_ids: ids });
  const expected = { dims: [2, 3], data: expectedLogits(states.last_hidden_state!.data) };
  assert.ok(difference(expected, logits!) < 3e-3);

  const again = newFolder();
  const data = table(9, hidden * hidden);
  await exportModel(again, {
    source: sourceOf(proto),
    weights: [{ name: 'dense', data }],
    config: labels,
  });
  const dense = (await readModel(again)).proto.graph!.initializer.find(({ name }) => name === 'dense')!;
  assert.equal(dense.dataType, 10);
  assert.deepEqual(tensorData(dense).bytes, float32ToFloat16(data));
});

/** A classifier of two labels, its weight a Constant node or an initializer, ending in a softmax. */
function classifier(constant: boolean): ModelProto {
  const w = float32Tensor(table(5, hidden * 2), [hidden, 2]);
  return buildModel({
    opset: 14,
    inputs: { x: float('batch', hidden) },
    outputs: { probabilities: float('batch', 2) },
    nodes: [
      ...(constant ? [node('Constant', [], ['w'], { value: w })] : []),
      node('MatMul', ['x', 'w'], ['42']),
      node('Softmax', ['42'], ['probabilities'], { axis: -1 }),
    ],
    initializers: constant ? {} : { w },
  });
}

test('a classifier gets another number of labels, and its logits their name', async () => {
  for (const constant of [false, true]) {
    const path = newFolder();
    const data = table(6, hidden * 3);
    await exportModel(path, {
      source: sourceOf(classifier(constant)),
      edit: {
        initializers: new Map([['w', float32Tensor(new Float32Array(hidden * 3), [hidden, 3])]]),
        outputs: [{ name: 'logits', from: '42', type: float('batch', 3) }],
      },
      weights: [{ name: 'w', data }],
      config: labels,
    });
    const x: Feed = { type: 'float32', dims: [1, hidden], data: Float32Array.of(1, 0, 0, 0, 0, 0) };
    const { logits } = await runModel(join(path, 'model.onnx'), { x });
    assert.deepEqual(logits!.dims, [1, 3]);
    assert.deepEqual([...(logits!.data as Float32Array)], [...data.subarray(0, 3)]);
    const { proto } = await readModel(path);
    assert.deepEqual(
      proto.graph!.node.map(({ opType }) => opType),
      ['MatMul', 'Identity'],
    );
  }
});

test('declared output shapes that no longer hold are dropped', () => {
  const grown = new Map([['w', float32Tensor(new Float32Array(hidden * 3), [hidden, 3])]]);
  const { graph } = editModel(classifier(false), { initializers: grown });
  assert.deepEqual(
    graph!.output.map(({ name, type }) => [name, type?.tensorType?.elemType, type?.tensorType?.shape]),
    [['probabilities', 1, undefined]],
  );
  const same = new Map([['w', float32Tensor(new Float32Array(hidden * 2), [hidden, 2])]]);
  const kept = editModel(classifier(false), { initializers: same }).graph!.output[0]!;
  assert.equal(kept.type?.tensorType?.shape?.dim.length, 2);
});

test('new weights of a Constant stay in the Constant', async () => {
  const path = newFolder();
  const data = table(7, hidden * 2);
  await exportModel(path, {
    source: sourceOf(classifier(true)),
    weights: [{ name: 'w', data }],
    config: labels,
  });
  const model = await readModel(path);
  assert.equal(model.proto.graph!.node[0]!.opType, 'Constant');
  assert.deepEqual(floatElements(importGraph(model).initializers.get('w')!), data);
});

test('edits that do not fit the graph are refused', () => {
  const refused = (edit: GraphEdit, pattern: RegExp) =>
    assert.throws(
      () => editModel(encoder(18), edit),
      (error) => error instanceof SesdError && pattern.test(error.message),
    );
  refused({ nodes: [headNode('Relu', ['lost'], 'r')] }, /'head\/Relu' \(Relu\) would read 'lost'/);
  refused({ nodes: [headNode('Relu', ['cls'], 'pooled')] }, /two of its values would be named 'pooled'/);
  refused({ outputs: [{ name: 'nothing' }] }, /nothing in it gives the output 'nothing'/);
  const layerNorm = headNode('LayerNormalization', ['cls', 'words'], 'n');
  assert.throws(
    () => editModel(encoder(14), { nodes: [layerNorm] }),
    (error) =>
      error instanceof SesdError && error.code === 'SESD_UNSUPPORTED_OP' && /opset 14/.test(error.message),
  );
});

test('the source is not changed', () => {
  const proto = encoder(12);
  const before = bytesOf(proto);
  editModel(proto, meanHead());
  assert.deepEqual(bytesOf(proto), before);
});

test('the folder has everything that loading it takes', async () => {
  const path = newFolder();
  await exportModel(path, {
    source: sourceOf(encoder(14)),
    edit: meanHead(),
    inlineLimit: 100,
    config: { ...labels, extra: { sesd_train: { maxLength: 64 } } },
    files: [{ name: 'tokenizer.json', content: Buffer.from('{}') }],
  });
  assert.deepEqual((await readdir(path)).sort(), [
    'config.json',
    'model.onnx',
    'model.onnx_data',
    'tokenizer.json',
  ]);
  assert.deepEqual(JSON.parse(await readFile(join(path, 'config.json'), 'utf8')), {
    model_type: 'bert',
    architectures: ['BertForSequenceClassification'],
    id2label: { 0: 'no', 1: 'yes', 2: 'maybe' },
    label2id: { no: 0, yes: 1, maybe: 2 },
    num_labels: 3,
    problem_type: 'single_label_classification',
    sesd_train: { maxLength: 64 },
    'transformers.js_config': { use_external_data_format: true },
  });
});

test('a folder that cannot be made is named', async () => {
  const file = newFolder();
  await writeFile(file, '');
  await assert.rejects(
    exportModel(join(file, 'model'), { source: sourceOf(encoder(14)), config: labels }),
    (error) => error instanceof SesdError && error.code === 'SESD_OUTPUT' && error.message.includes(file),
  );
});

test('config.json keeps what the source says and names the classifier class', () => {
  const base = {
    model_type: 'xlm-roberta',
    architectures: ['XLMRobertaForMaskedLM'],
    hidden_size: 768,
    id2label: { 0: 'old' },
    'transformers.js_config': { dtype: 'q8' },
  };
  const config = classifierConfig({ base, ...labels });
  assert.deepEqual(config.architectures, ['XLMRobertaForSequenceClassification']);
  assert.equal(config.hidden_size, 768);
  assert.deepEqual(config.id2label, labels.id2label);
  assert.ok(!('transformers.js_config' in config));
  assert.equal(base.id2label[0], 'old');

  const classOf = (entries: Record<string, unknown>) =>
    classifierConfig({ base: entries, ...labels }).architectures;
  assert.deepEqual(classOf({ architectures: ['DistilBertModel'] }), ['DistilBertForSequenceClassification']);
  assert.deepEqual(classOf({ model_type: 'mpnet' }), ['MPNetForSequenceClassification']);
  assert.deepEqual(classOf({ model_type: 'electra' }), ['ElectraForSequenceClassification']);
  const sized = classifierConfig({ architecture: { hidden_size: 256 }, ...labels });
  assert.equal(sized.hidden_size, 256);
  assert.equal(sized.model_type, 'bert');
});
