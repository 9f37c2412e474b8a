import { type Message, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './generated/onnx_pb.ts';
import { type Piece, Pieces } from './wire.ts';

/** What to write for a tensor in its place: its message without elements, and the elements as raw_data. */
export interface TensorPlan {
  message: TensorProto;
  /** Absent when the message is complete, for one with its elements in another file. */
  rawData?: Piece;
}

/**
 * Picks what is written for a tensor; undefined writes the message as it is. `name` is the initializer's, or
 * the output of the Constant node.
 */
export type PlanTensor = (tensor: TensorProto, name: string) => TensorPlan | undefined;

/**
 * A model as pieces whose lengths are known, so that its tensors' elements need not be in memory together:
 * the fields of a protobuf message may be written one after the other, and a message field is its length and
 * then its content. Only tensors of the main graph (initializers and Constant nodes) are planned.
 */
export function encodeModel(model: ModelProto, plan: PlanTensor): Pieces {
  const { graph } = model;
  const pieces = new Pieces().add(toBinary(ModelProtoSchema, having(model, { graph: undefined })));
  if (graph) pieces.field(ModelProtoSchema.field.graph.number, encodeGraph(graph, plan));
  return pieces;
}

function encodeGraph(graph: GraphProto, plan: PlanTensor): Pieces {
  const { field } = GraphProtoSchema;
  const pieces = new Pieces().add(toBinary(GraphProtoSchema, having(graph, { node: [], initializer: [] })));
  for (const node of graph.node) pieces.field(field.node.number, encodeNode(node, plan));
  for (const tensor of graph.initializer) {
    const planned = plan(tensor, tensor.name);
    pieces.field(
      field.initializer.number,
      planned ? encodeTensor(planned) : toBinary(TensorProtoSchema, tensor),
    );
  }
  return pieces;
}

function encodeNode(node: NodeProto, plan: PlanTensor): Pieces {
  const pieces = new Pieces();
  const value = constantValue(node);
  const planned = value?.t && plan(value.t, node.output[0] ?? '');
  if (value === undefined || planned === undefined) return pieces.add(toBinary(NodeProtoSchema, node));
  const others = node.attribute.filter((attribute) => attribute !== value);
  return pieces
    .add(toBinary(NodeProtoSchema, having(node, { attribute: others })))
    .field(NodeProtoSchema.field.attribute.number, encodeAttribute(value, planned));
}

function encodeAttribute(attribute: AttributeProto, plan: TensorPlan): Pieces {
  return new Pieces()
    .add(toBinary(AttributeProtoSchema, having(attribute, { t: undefined })))
    .field(AttributeProtoSchema.field.t.number, encodeTensor(plan));
}

function encodeTensor({ message, rawData }: TensorPlan): Pieces {
  const pieces = new Pieces().add(toBinary(TensorProtoSchema, message));
  return rawData === undefined ? pieces : pieces.field(TensorProtoSchema.field.rawData.number, rawData);
}

/** What may be planned: initializers and the values of Constant nodes, by the names they go by in the graph. */
export function* plannableTensors(graph: GraphProto): Generator<{ name: string; tensor: TensorProto }> {
  for (const tensor of graph.initializer) yield { name: tensor.name, tensor };
  for (const node of graph.node) {
    const tensor = constantValue(node)?.t;
    if (tensor) yield { name: node.output[0] ?? '', tensor };
  }
}

function constantValue(node: NodeProto): AttributeProto | undefined {
  return isConstant(node) ? node.attribute.find(({ t }) => t !== undefined) : undefined;
}

export function isConstant(node: NodeProto): boolean {
  return node.opType === 'Constant' && (node.domain === '' || node.domain === 'ai.onnx');
}

/** A shallow copy of a message with some fields replaced; undefined unsets one. Unknown fields stay. */
export function having<T extends Message>(message: T, fields: { [K in keyof T]?: T[K] | undefined }): T {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(message)), message);
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) delete copy[name];
    else copy[name] = value;
  }
  return copy;
}
