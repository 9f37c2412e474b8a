import { clone } from '@bufbuild/protobuf';
import { type GraphProto, type TensorProto, TensorProtoSchema } from './generated/onnx_pb.ts';
import type { OnnxModel } from './read.ts';
import { isFloat, tensorData } from './tensor.ts';

/**
 * Gives every use of a freshly initialised vector a tensor of its own. Exporters store equal tensors once:
 * in a model not yet trained all biases are the same zeros and all LayerNorm scales the same ones, so one
 * initializer would be trained as if PyTorch had shared it. Vectors whose elements differ are left alone:
 * those a model shares on purpose. Changes the model; returns the names added.
 */
export function untieVectors(model: OnnxModel): string[] {
  const graph = model.proto.graph;
  if (!graph) return [];
  const added: string[] = [];
  for (const tensor of [...graph.initializer]) {
    if (isUniformVector(model, tensor)) added.push(...untie(graph, model, tensor));
  }
  return added;
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
