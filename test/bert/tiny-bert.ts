import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BertOptions, type PreparedBert, prepareBert } from '../../src/bert/prepare.ts';
import { createEngine, type OnnxRuntimeEngine } from '../../src/engine/backends/onnx-runtime.ts';
import type { Batch, Engine, NamedArray } from '../../src/engine/engine.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import { distillationObjective } from '../../src/objective/distillation.ts';
import { readModel } from '../../src/onnx/read.ts';

const folder = fileURLToPath(new URL('../fixtures/tiny-bert/', import.meta.url));

interface Reference {
  inputs: Record<
    'input_ids' | 'attention_mask' | 'token_type_ids',
    { dims: [number, number]; data: number[] }
  >;
  labels: number[];
  logits: { data: number[] };
  loss: number;
  parameters: {
    name: string;
    dims: number[];
    offset: number;
    initializers: Record<string, { name: string; transposed: boolean }>;
  }[];
}

export const reference: Reference = JSON.parse(readFileSync(`${folder}reference.json`, 'utf8'));
const gradients = new Float32Array(readFileSync(`${folder}gradients.bin`).buffer.slice(0));

export type TinyFile = 'model.onnx' | 'model-dynamo.onnx';

export async function tinyGraph(file: TinyFile = 'model.onnx'): Promise<Graph> {
  return importGraph(await readModel(folder + file));
}

export async function prepareTiny(
  options: Partial<BertOptions> = {},
  file?: TinyFile,
): Promise<PreparedBert> {
  return prepareBert(await tinyGraph(file), { head: 'auto', dropout: 0, fuse: true, seed: 1, ...options });
}

export async function tinyEngine(
  options: Partial<BertOptions> = {},
  file?: TinyFile,
): Promise<OnnxRuntimeEngine> {
  return createEngine((await prepareTiny(options, file)).plan, { threads: 2 });
}

export function tinyBatch(): Batch {
  const [rows, length] = reference.inputs.input_ids.dims;
  const values = (name: keyof Reference['inputs']) => BigInt64Array.from(reference.inputs[name].data, BigInt);
  return {
    rows,
    length,
    examples: rows,
    inputIds: values('input_ids'),
    attentionMask: values('attention_mask'),
    tokenTypeIds: values('token_type_ids'),
  };
}

/** PyTorch's gradient of the loss, by initializer, in the initializer's layout. */
export function torchGradients(file: TinyFile = 'model.onnx'): Map<string, Float32Array> {
  const result = new Map<string, Float32Array>();
  for (const { dims, offset, initializers } of reference.parameters) {
    const place = initializers[file];
    if (!place) continue;
    const size = dims.reduce((a, b) => a * b, 1);
    const values = gradients.slice(offset, offset + size);
    result.set(place.name, place.transposed ? transpose(values, dims as [number, number]) : values);
  }
  return result;
}

function transpose(values: Float32Array, [rows, columns]: [number, number]): Float32Array {
  return values.map((_, index) => values[(index % rows) * columns + Math.floor(index / rows)]!);
}

/** Gradients of the cross-entropy, by parameter; logits and loss are PyTorch's. */
export async function crossEntropyGradients(engine: ProbedEngine): Promise<Map<string, Float32Array>> {
  const { data, rows, classes } = await engine.forward(tinyBatch(), { dropoutKey: [0, 0] });
  assert.ok(relativeError(data, reference.logits.data) < 1e-5);
  const objective = distillationObjective({ lambda: 0, distance: 'mse', temperature: 1 });
  const labels = Int32Array.from(reference.labels);
  const { loss, dlogits } = objective({ logits: data, labels, rows, classes });
  assert.ok(Math.abs(loss - reference.loss) < 1e-6);
  await engine.backward(Float32Array.from(dlogits));
  return collectGradients(engine);
}

/** One whose gradients can be looked at. */
export type ProbedEngine = Engine & { readGradients(): AsyncIterable<NamedArray> };

export async function collectGradients(engine: ProbedEngine): Promise<Map<string, Float32Array>> {
  const result = new Map<string, Float32Array>();
  for await (const { name, data } of engine.readGradients()) result.set(name, data);
  return result;
}

/** Largest difference relative to the largest magnitude of the expected values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference / scale;
}
