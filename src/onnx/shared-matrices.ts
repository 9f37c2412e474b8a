import type { GraphProto, TensorProto } from './generated/onnx_pb.ts';
import type { OnnxModel } from './read.ts';
import { dataTypeNumber, tensorData } from './tensor.ts';

const { float32, float64, float16, bfloat16 } = dataTypeNumber;
const FLOATS = new Set([float32, float64, float16, bfloat16]);

/**
 * Makes one initializer of those that hold the same matrix. A model whose layers share their weights, as ALBERT's
 * do, has one parameter each; exporters that fold transposes write it once per use, and the copies would be trained
 * apart. Two matrices of a trained or randomly drawn model are never equal by chance; those whose elements are all
 * the same number are left alone, and so are vectors, which are equal in every fresh model (see
 * `restoreFreshVectors`). Changes the model; returns the names that are gone.
 */
export function shareEqualMatrices(model: OnnxModel): string[] {
  const graph = model.proto.graph;
  if (!graph) return [];
  const fixed = new Set([...graph.input, ...graph.output].map(({ name }) => name));
  const classes = new Map<string, { name: string; bytes: Uint8Array }[]>();
  const renamed = new Map<string, string>();
  for (const tensor of graph.initializer) {
    const bytes = matrixBytes(model, tensor);
    if (!bytes) continue;
    const key = `${tensor.dataType} ${tensor.dims} ${sample(bytes)}`;
    const alike = classes.get(key) ?? [];
    classes.set(key, alike);
    const first = alike.find((other) => Buffer.compare(other.bytes, bytes) === 0);
    if (!first) alike.push({ name: tensor.name, bytes });
    else if (!fixed.has(tensor.name)) renamed.set(tensor.name, first.name);
  }
  if (renamed.size === 0) return [];
  graph.initializer = graph.initializer.filter(({ name }) => !renamed.has(name));
  renameInputs(graph, renamed);
  return [...renamed.keys()];
}

/** The bytes of a float tensor of two or more axes whose elements are not all equal. */
function matrixBytes(model: OnnxModel, tensor: TensorProto): Uint8Array | undefined {
  if (tensor.dims.length < 2 || !FLOATS.has(tensor.dataType)) return undefined;
  const { bytes } = tensorData(tensor, model.external);
  const width = bytes.length / tensor.dims.reduce((size, dim) => size * Number(dim), 1);
  return bytes.every((byte, index) => byte === bytes[index % width]) ? undefined : bytes;
}

/** Some bytes from all over, enough to tell most matrices apart without reading them. */
function sample(bytes: Uint8Array): string {
  const step = Math.max(1, Math.floor(bytes.length / 64));
  let text = '';
  for (let at = 0; at < bytes.length; at += step) text += `${bytes[at]} `;
  return text;
}

function renameInputs(graph: GraphProto, names: ReadonlyMap<string, string>): void {
  for (const node of graph.node) {
    node.input = node.input.map((input) => names.get(input) ?? input);
    for (const { g, graphs } of node.attribute) {
      for (const inner of g ? [g, ...graphs] : graphs) renameInputs(inner, names);
    }
  }
}
