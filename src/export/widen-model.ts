import { tensorToProto } from '../graph/attributes.ts';
import { typeAttributes } from '../graph/widen-floats.ts';
import { having } from '../onnx/encode.ts';
import type {
  AttributeProto,
  GraphProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from '../onnx/generated/onnx_pb.ts';
import type { OnnxModel } from '../onnx/read.ts';
import { dataTypeNumber, floatElements, tensorData } from '../onnx/tensor.ts';

const { float32, float16, bfloat16 } = dataTypeNumber;
const isHalf = (dataType: number): boolean => dataType === float16 || dataType === bfloat16;

/**
 * The model with every 16-bit float, of weights, constants, casts and declared values, made float32. Weights whose
 * elements were let go only change their type. The source is not changed.
 */
export function widenModel({ path, proto, external }: OnnxModel): OnnxModel {
  const outside = new Map(external);
  const graph = proto.graph && widenGraph(proto.graph, outside);
  const functions = proto.functions.map((each) =>
    having(each, { node: each.node.map((node) => widenNode(node, outside)) }),
  );
  return { path, proto: having(proto, { graph, functions }), external: outside };
}

type Outside = Map<TensorProto, Uint8Array>;

function widenGraph(graph: GraphProto, outside: Outside): GraphProto {
  return having(graph, {
    node: graph.node.map((node) => widenNode(node, outside)),
    initializer: graph.initializer.map((tensor) => widenTensor(tensor, outside)),
    input: graph.input.map(widenInfo),
    output: graph.output.map(widenInfo),
    valueInfo: graph.valueInfo.map(widenInfo),
  });
}

function widenNode(node: NodeProto, outside: Outside): NodeProto {
  return having(node, { attribute: node.attribute.map((attribute) => widenAttribute(attribute, outside)) });
}

function widenAttribute(attribute: AttributeProto, outside: Outside): AttributeProto {
  const { name, i, t, g, graphs } = attribute;
  if (typeAttributes.includes(name) && isHalf(Number(i))) return having(attribute, { i: BigInt(float32) });
  if (t !== undefined) return having(attribute, { t: widenTensor(t, outside) });
  if (g !== undefined) return having(attribute, { g: widenGraph(g, outside) });
  return graphs.length === 0
    ? attribute
    : having(attribute, { graphs: graphs.map((graph) => widenGraph(graph, outside)) });
}

function widenTensor(tensor: TensorProto, outside: Outside): TensorProto {
  if (!isHalf(tensor.dataType)) return tensor;
  const released = !outside.has(tensor) && tensor.rawData.length === 0 && tensor.int32Data.length === 0;
  if (released) return having(tensor, { dataType: float32 });
  const data = tensorData(tensor, outside);
  const values = floatElements(data);
  outside.delete(tensor);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return tensorToProto(tensor.name, { dtype: 'float32', dims: data.dims, bytes });
}

function widenInfo(info: ValueInfoProto): ValueInfoProto {
  const tensor = info.type?.tensorType;
  if (tensor === undefined || !isHalf(tensor.elemType)) return info;
  return having(info, { type: having(info.type!, { tensorType: having(tensor, { elemType: float32 }) }) });
}
