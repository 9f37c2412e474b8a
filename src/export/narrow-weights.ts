import { tensorToProto } from '../graph/attributes.ts';
import { nodeToProto } from '../graph/serialize.ts';
import { having, isConstant } from '../onnx/encode.ts';
import type { GraphProto, NodeProto, TensorProto, ValueInfoProto } from '../onnx/generated/onnx_pb.ts';
import { float32ToFloat16 } from '../onnx/half.ts';
import type { OnnxModel } from '../onnx/read.ts';
import { dataTypeNumber, floatElements, tensorData } from '../onnx/tensor.ts';

const { float32, float16 } = dataTypeNumber;

/**
 * The model with float32 weights stored as float16, each with a Cast to float32 behind it, which runtimes compute
 * once when they load the file. All else stays float32: a mask's fill of −3.4e38 and an ε of 1e-12 have no float16.
 * Weights whose elements were let go only change their type. The source is not changed.
 *
 * @param names the weights: initializers, or outputs of Constant nodes
 */
export function narrowWeights({ path, proto, external }: OnnxModel, names: ReadonlySet<string>): OnnxModel {
  const outside = new Map(external);
  const source = proto.graph!;
  const casts = new Map<string, NodeProto>();
  const taken = namesIn(source);
  const narrow = (tensor: TensorProto, name: string): TensorProto => {
    if (!names.has(name) || tensor.dataType !== float32) return tensor;
    let output = `${name}/float32`;
    while (taken.has(output)) output += '_';
    casts.set(name, castOf(name, output));
    return narrowTensor(tensor, outside);
  };

  const initializer = source.initializer.map((tensor) => narrow(tensor, tensor.name));
  const given = [...casts.values()];
  const node = source.node.flatMap((each) => {
    const value = isConstant(each) ? each.attribute.find(({ t }) => t !== undefined) : undefined;
    if (value === undefined) return [each];
    const output = each.output[0]!;
    const t = narrow(value.t!, output);
    const attribute = each.attribute.map((other) => (other === value ? having(value, { t }) : other));
    return [having(each, { attribute }), ...(t === value.t ? [] : [casts.get(output)!])];
  });
  const own = new Set(casts.values());
  const rename = (name: string) => casts.get(name)?.output[0] ?? name;
  const graph = having(source, {
    initializer,
    node: [...given, ...node.map((each) => (own.has(each) ? each : renamed(each, rename)))],
    input: source.input.map((info) => (casts.has(info.name) ? narrowInfo(info) : info)),
    valueInfo: source.valueInfo.map((info) => (casts.has(info.name) ? narrowInfo(info) : info)),
  });
  return { path, proto: having(proto, { graph }), external: outside };
}

function namesIn(graph: GraphProto): Set<string> {
  return new Set([
    ...[...graph.initializer, ...graph.input].map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
}

function castOf(input: string, output: string): NodeProto {
  const to = new Map([['to', { kind: 'int' as const, value: BigInt(float32) }]]);
  const inputs = [input];
  return nodeToProto({ name: output, op: 'Cast', domain: '', inputs, outputs: [output], attributes: to });
}

/** The node reading other values, in nested graphs too. */
function renamed(node: NodeProto, rename: (name: string) => string): NodeProto {
  const inside = (graph: GraphProto): GraphProto =>
    having(graph, { node: graph.node.map((each) => renamed(each, rename)) });
  const attribute = node.attribute.map((each) =>
    each.g === undefined && each.graphs.length === 0
      ? each
      : having(each, { g: each.g && inside(each.g), graphs: each.graphs.map(inside) }),
  );
  return having(node, { input: node.input.map(rename), attribute });
}

function narrowTensor(tensor: TensorProto, outside: Map<TensorProto, Uint8Array>): TensorProto {
  const released = !outside.has(tensor) && tensor.rawData.length === 0 && tensor.floatData.length === 0;
  if (released) return having(tensor, { dataType: float16 });
  const { dims, ...data } = tensorData(tensor, outside);
  outside.delete(tensor);
  const bytes = float32ToFloat16(floatElements({ ...data, dims }));
  return tensorToProto(tensor.name, { dtype: 'float16', dims, bytes });
}

function narrowInfo(info: ValueInfoProto): ValueInfoProto {
  const tensorType = info.type?.tensorType && having(info.type.tensorType, { elemType: float16 });
  return having(info, { type: info.type && having(info.type, { tensorType }) });
}
