import { clone, create } from '@bufbuild/protobuf';
import { type GraphProto, type TensorProto, TensorProtoSchema } from './generated/onnx_pb.ts';
import type { OnnxModel } from './read.ts';
import { dataTypeNumber, isFloat, tensorData } from './tensor.ts';

const FLOAT = dataTypeNumber.float32;

/**
 * Undoes what exporters do to vectors of a model that was never trained, where all biases are zeros and all
 * LayerNorm scales ones. Equal tensors are stored once, so one initializer would be trained as if PyTorch had
 * shared it: every use gets its own. A Gemm whose bias is zero loses it: it gets one back. Vectors whose
 * elements differ are left alone: those a model shares on purpose. Changes the model; returns the names added.
 */
export function restoreFreshVectors(model: OnnxModel): string[] {
  const graph = model.proto.graph;
  if (!graph) return [];
  const added: string[] = [];
  for (const tensor of [...graph.initializer]) {
    if (isUniformVector(model, tensor)) added.push(...untie(graph, model, tensor));
  }
  return added.length > 0 ? [...added, ...restoreBiases(graph)] : [];
}

/** Gives every Gemm on a matrix of the file a bias of zeros, if it has none. */
function restoreBiases(graph: GraphProto): string[] {
  const tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const names: string[] = [];
  for (const node of graph.node) {
    const weight =
      node.opType === 'Gemm' && node.input.length === 2 ? tensors.get(node.input[1]!) : undefined;
    if (weight?.dataType !== FLOAT || weight.dims.length !== 2) continue;
    const transposed = node.attribute.some(({ name, i }) => name === 'transB' && i !== 0n);
    const size = weight.dims[transposed ? 0 : 1]!;
    const name = `${weight.name.replace(/\.weight$/, '')}.bias`;
    if (tensors.has(name)) continue;
    const rawData = new Uint8Array(Number(size) * 4);
    const bias = create(TensorProtoSchema, { name, dataType: FLOAT, dims: [size], rawData });
    tensors.set(name, bias);
    graph.initializer.push(bias);
    node.input.push(name);
    names.push(name);
  }
  return names;
}

function untie(graph: GraphProto, model: OnnxModel, tensor: TensorProto): string[] {
  const outputs = new Set(graph.output.map(({ name }) => name));
  const taken = new Set(graph.initializer.map(({ name }) => name));
  for (const node of graph.node) for (const output of node.output) taken.add(output);
  const names: string[] = [];
  const copy = (name: string) => {
    graph.initializer.push(copyOf(model, tensor, name));
    taken.add(name);
    names.push(name);
  };

  // TorchScript writes a copy as Identity, under the parameter's own name
  const isCopy = (node: (typeof graph.node)[number]) =>
    node.opType === 'Identity' && node.input[0] === tensor.name && !outputs.has(node.output[0]!);
  const copies = graph.node.filter(isCopy);
  graph.node = graph.node.filter((node) => !isCopy(node));
  for (const node of copies) copy(node.output[0]!);

  // the dynamo exporter lets every reader read the first
  let first = true;
  for (const node of graph.node) {
    for (const [index, input] of node.input.entries()) {
      if (input !== tensor.name) continue;
      if (first) {
        first = false;
        continue;
      }
      let number = 1;
      while (taken.has(`${tensor.name}.${number}`)) number++;
      node.input[index] = `${tensor.name}.${number}`;
      copy(node.input[index]);
    }
  }
  return names;
}

function isUniformVector(model: OnnxModel, tensor: TensorProto): boolean {
  if (tensor.dims.length !== 1 || tensor.dims[0]! < 2n) return false;
  const { dtype, bytes } = tensorData(tensor, model.external);
  if (!isFloat(dtype)) return false;
  const size = bytes.length / Number(tensor.dims[0]);
  return bytes.every((byte, index) => byte === bytes[index % size]);
}

function copyOf(model: OnnxModel, tensor: TensorProto, name: string): TensorProto {
  const copy = clone(TensorProtoSchema, tensor);
  copy.name = name;
  const outside = model.external.get(tensor);
  if (outside) {
    copy.rawData = outside;
    copy.externalData = [];
    copy.dataLocation = 0;
  }
  return copy;
}
