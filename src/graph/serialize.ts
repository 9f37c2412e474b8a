import { create } from '@bufbuild/protobuf';
import { encodeModel } from '../onnx/encode.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../onnx/generated/onnx_pb.ts';
import { dataTypeNumber } from '../onnx/tensor.ts';
import { attributeToProto, tensorToProto } from './attributes.ts';
import type { Dim } from './dims.ts';
import { type Graph, type Node, producers, type ValueType } from './graph.ts';

/** Read by every ONNX Runtime since 1.18. */
const IR_VERSION = 10n;

/**
 * The graph as the bytes of a ModelProto, for the runtime to make a session from.
 *
 * With `inputs` and `outputs` it is a part of the graph: any values may be its inputs, also initializers
 * (weights that are bound at run time) and values nodes compute. Nodes and initializers the outputs do not
 * need are left out. Inputs and outputs are declared with their types in `graph.types`.
 */
export function serializeGraph(
  graph: Graph,
  {
    inputs = graph.inputs,
    outputs = graph.outputs,
  }: { inputs?: readonly string[]; outputs?: readonly string[] } = {},
): Uint8Array {
  const given = new Set(inputs);
  const needed = neededNodes(graph, given, outputs);
  const nodes = graph.nodes.filter((node) => needed.has(node));
  const read = new Set([...outputs, ...nodes.flatMap((node) => node.inputs)]);
  const constants = [...graph.initializers].filter(([name]) => read.has(name) && !given.has(name));

  const proto = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'sesd-train',
    opsetImport: opsetImports(graph, nodes),
    graph: create(GraphProtoSchema, {
      name: 'graph',
      node: nodes.map(nodeToProto),
      input: inputs.map((name) => valueInfo(name, graph.types.get(name))),
      output: outputs.map((name) => valueInfo(name, graph.types.get(name))),
      initializer: constants.map(([name, data]) => tensorToProto(name, { ...data, bytes: new Uint8Array() })),
    }),
  });
  const pieces = encodeModel(proto, (message, name) => {
    const data = graph.initializers.get(name);
    return data && { message, rawData: data.bytes };
  });
  const bytes = new Uint8Array(pieces.byteLength);
  let at = 0;
  for (const part of pieces.parts as Uint8Array[]) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function neededNodes(graph: Graph, given: ReadonlySet<string>, outputs: readonly string[]): Set<Node> {
  const producer = producers(graph);
  const needed = new Set<Node>();
  const pending = [...outputs];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = given.has(name) ? undefined : producer.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.inputs);
  }
  return needed;
}

function opsetImports(graph: Graph, nodes: readonly Node[]) {
  const domains = new Set(['', ...nodes.map(({ domain }) => domain)]);
  return [...domains].map((domain) =>
    create(OperatorSetIdProtoSchema, { domain, version: domain === '' ? BigInt(graph.opset) : 1n }),
  );
}

export function nodeToProto(node: Node): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.op,
    domain: node.domain,
    input: node.inputs,
    output: node.outputs,
    attribute: [...node.attributes].map(([name, attribute]) => attributeToProto(name, attribute)),
  });
}

/** A declaration of a graph's input or output; without a type, runtimes infer an output's. */
export function valueInfo(name: string, type: ValueType | undefined): ValueInfoProto {
  if (type === undefined) return create(ValueInfoProtoSchema, { name });
  const tensor = create(TypeProto_TensorSchema, { elemType: dataTypeNumber[type.dtype] });
  if (type.dims !== undefined) {
    tensor.shape = create(TensorShapeProtoSchema, { dim: type.dims.map(dimension) });
  }
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { tensorType: tensor }) });
}

function dimension(dim: Dim) {
  return create(TensorShapeProto_DimensionSchema, {
    value:
      typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
  });
}
