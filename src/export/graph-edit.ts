import { create } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';
import { tensorToProto } from '../graph/attributes.ts';
import { normalDomain, standardOpset } from '../graph/functions.ts';
import type { Node, TensorData, ValueType } from '../graph/graph.ts';
import { downgradeNode } from '../graph/opset/downgrade.ts';
import { nodeToProto, valueInfo } from '../graph/serialize.ts';
import { having, isConstant } from '../onnx/encode.ts';
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  OperatorSetIdProtoSchema,
  type ValueInfoProto,
} from '../onnx/generated/onnx_pb.ts';
import { float32ToBfloat16, float32ToFloat16 } from '../onnx/half.ts';
import { dataTypeOf, floatElements, quote } from '../onnx/tensor.ts';

/** What is changed of a user's graph, in terms of its own value names. */
export interface GraphEdit {
  /** Nodes in canonical form that follow the model's own, an attached head for example. */
  nodes?: readonly Node[];
  /**
   * Initializers the nodes read, or that take the place of the model's own of the same name (in its element
   * type), for a classifier that gets another number of labels. New weights may be placeholders here.
   */
  initializers?: ReadonlyMap<string, TensorData>;
  /** The graph's outputs instead of its own. What none of them needs any more is left out. */
  outputs?: readonly EditedOutput[];
}

export interface EditedOutput {
  name: string;
  /** The value it shows, when that has another name. */
  from?: string;
  /** As the model declares it, when absent. */
  type?: ValueType;
}

/**
 * The model with the edit applied; the source is not changed. New nodes are written in the model's opset, and
 * where they read a 16-bit float they get it cast to float32.
 *
 * @throws SesdError SESD_UNSUPPORTED_OP when an op of the edit does not exist in the model's opset,
 *   SESD_BAD_MODEL when edit and graph do not fit together.
 */
export function editModel(model: ModelProto, edit: GraphEdit): ModelProto {
  const source = model.graph;
  if (source === undefined) throw unfit('there is no graph in it');
  let graph = edit.initializers?.size ? withInitializers(source, edit.initializers) : having(source, {});
  graph = withNodes(graph, edit, standardOpset(model.opsetImport) ?? 0);
  if (edit.outputs !== undefined) graph = withOutputs(graph, edit.outputs);
  checkNames(graph);
  return having(model, { graph, opsetImport: withDomains(model.opsetImport, edit.nodes ?? []) });
}

function unfit(what: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `the model cannot be exported: ${what}`);
}

function withInitializers(graph: GraphProto, initializers: ReadonlyMap<string, TensorData>): GraphProto {
  const own = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const replaces = (node: NodeProto) => isConstant(node) && initializers.has(node.output[0] ?? '');
  for (const node of graph.node.filter(replaces)) {
    const value = node.attribute.find(({ t }) => t)?.t;
    if (value !== undefined) own.set(node.output[0]!, value);
  }
  const tensors = [...initializers].map(([name, data]) =>
    tensorToProto(name, inType(data, own.get(name)?.dataType)),
  );
  // Other dims may follow from new ones: what is declared of them is dropped, and runtimes infer it.
  const resizes = tensors.some(
    ({ name, dims }) => own.has(name) && own.get(name)!.dims.join() !== dims.join(),
  );
  return having(graph, {
    node: graph.node.filter((node) => !replaces(node)),
    initializer: [...graph.initializer.filter(({ name }) => !initializers.has(name)), ...tensors],
    // Files that list initializers as inputs too declare their old shape there.
    input: graph.input.filter(({ name }) => !initializers.has(name)),
    valueInfo: resizes ? [] : graph.valueInfo,
    output: resizes ? graph.output.map(withoutShape) : graph.output,
  });
}

function withoutShape(info: ValueInfoProto): ValueInfoProto {
  const tensorType = info.type?.tensorType && having(info.type.tensorType, { shape: undefined });
  return having(info, { type: info.type && having(info.type, { tensorType }) });
}

/** float32 data in the 16-bit float type it takes the place of. */
function inType(data: TensorData, dataType: number | undefined): TensorData {
  const dtype = dataTypeOf(dataType ?? 0);
  if (data.dtype !== 'float32' || (dtype !== 'float16' && dtype !== 'bfloat16')) return data;
  const convert = dtype === 'float16' ? float32ToFloat16 : float32ToBfloat16;
  return { dtype, dims: data.dims, bytes: convert(floatElements(data)) };
}

function withNodes(graph: GraphProto, { nodes = [], initializers }: GraphEdit, opset: number): GraphProto {
  const half = halfValues(graph);
  const casts = new Map<string, NodeProto>();
  const widened = (name: string): string => {
    if (!half.has(name)) return name;
    const output = `${name}/float32`;
    casts.set(name, nodeToProto(node('Cast', name, output, new Map([['to', { kind: 'int', value: 1n }]]))));
    return output;
  };
  const appended = nodes.map((each) =>
    nodeToProto(
      downgradeNode({ ...each, inputs: each.inputs.map(widened) }, opset, (name) => initializers?.get(name)),
    ),
  );
  const all = [...graph.node, ...casts.values(), ...appended];
  // Axes that became attributes leave their initializer without a reader, which runtimes warn of.
  const read = new Set([
    ...all.flatMap((each) => [...readNames(each)]),
    ...graph.output.map(({ name }) => name),
  ]);
  return having(graph, {
    node: all,
    initializer: graph.initializer.filter(({ name }) => !initializers?.has(name) || read.has(name)),
  });
}

function node(op: string, input: string, output: string, attributes: Node['attributes'] = new Map()): Node {
  return { name: output, op, domain: '', inputs: [input], outputs: [output], attributes };
}

/** Values declared as 16-bit floats. */
function halfValues(graph: GraphProto): Set<string> {
  const half = new Set<string>();
  for (const info of [...graph.valueInfo, ...graph.output]) {
    const dtype = dataTypeOf(info.type?.tensorType?.elemType ?? 0);
    if (dtype === 'float16' || dtype === 'bfloat16') half.add(info.name);
  }
  return half;
}

function withOutputs(graph: GraphProto, outputs: readonly EditedOutput[]): GraphProto {
  const declared = new Map(graph.output.map((output) => [output.name, output]));
  const kept = pruned(
    graph,
    outputs.map(({ name, from }) => from ?? name),
  );
  const copies = outputs.flatMap(({ name, from }) =>
    from === undefined || from === name ? [] : [nodeToProto(node('Identity', from, name))],
  );
  return having(kept, {
    node: [...kept.node, ...copies],
    output: outputs.map(({ name, type }) => (type ? undefined : declared.get(name)) ?? valueInfo(name, type)),
  });
}

/** Names a node reads, also those its nested graphs take from outside. */
function* readNames(node: NodeProto): Generator<string> {
  yield* node.input;
  for (const { g, graphs } of node.attribute) {
    for (const graph of g ? [g, ...graphs] : graphs) {
      for (const inner of graph.node) yield* readNames(inner);
      for (const output of graph.output) yield output.name;
    }
  }
}

/** Without the nodes and initializers none of the values needs. */
function pruned(graph: GraphProto, values: string[]): GraphProto {
  const producer = new Map<string, NodeProto>();
  for (const each of graph.node) for (const output of each.output) producer.set(output, each);
  const needed = new Set<NodeProto>();
  const read = new Set<string>();
  const pending = values;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    read.add(name);
    const source = producer.get(name);
    if (source === undefined || needed.has(source)) continue;
    needed.add(source);
    pending.push(...readNames(source));
  }
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const readBefore = new Set(graph.node.flatMap((each) => [...readNames(each)]));
  return having(graph, {
    node: graph.node.filter((each) => needed.has(each)),
    initializer: graph.initializer.filter(({ name }) => read.has(name)),
    // Inputs that nothing read are part of how the model is called; those that nothing reads any more are not, nor are
    // initializers listed among them.
    input: graph.input.filter(
      ({ name }) => read.has(name) || (!constants.has(name) && !readBefore.has(name)),
    ),
    valueInfo: graph.valueInfo.filter(({ name }) => read.has(name)),
  });
}

function checkNames(graph: GraphProto): void {
  const given = new Set<string>();
  const give = (name: string): void => {
    if (given.has(name)) throw unfit(`two of its values would be named ${quote(name)}`);
    given.add(name);
  };
  for (const { name } of graph.initializer) give(name);
  const constants = new Set(given);
  for (const { name } of graph.input) if (!constants.has(name)) give(name);
  for (const { output } of graph.node) for (const name of output) if (name !== '') give(name);
  for (const { name, opType, input } of graph.node) {
    const missing = input.find((value) => value !== '' && !given.has(value));
    if (missing !== undefined) {
      throw unfit(`node ${quote(name)} (${opType}) would read ${quote(missing)}, which is not in the graph`);
    }
  }
  const missing = graph.output.find(({ name }) => !given.has(name));
  if (missing !== undefined) throw unfit(`nothing in it gives the output ${quote(missing.name)}`);
}

function withDomains(imports: ModelProto['opsetImport'], nodes: readonly Node[]): ModelProto['opsetImport'] {
  const known = new Set(imports.map(({ domain }) => normalDomain(domain)));
  const added = new Set(
    nodes.map(({ domain }) => normalDomain(domain)).filter((domain) => !known.has(domain)),
  );
  return [
    ...imports,
    ...[...added].map((domain) => create(OperatorSetIdProtoSchema, { domain, version: 1n })),
  ];
}
