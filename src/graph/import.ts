import { SesdError } from '../errors.ts';
import type { GraphProto, TensorProto, ValueInfoProto } from '../onnx/generated/onnx_pb.ts';
import type { OnnxModel } from '../onnx/read.ts';
import { dataTypeName, dataTypeOf, MAX_RANK, quote, tensorData, within } from '../onnx/tensor.ts';
import { float32Tensor, int64Tensor, scalarTensor } from './builder.ts';
import { type Dim, symbol } from './dims.ts';
import { inlinedNodes, standardOpset, type VersionedNode } from './functions.ts';
import { CANONICAL_OPSET, type Graph, type Node, opName, type TensorData, type ValueType } from './graph.ts';
import { inferNode, newInference } from './infer/infer.ts';
import { checkNode } from './opset/check-node.ts';
import { NEWEST_OPSET, OLDEST_OPSET, type UpgradeContext, upgradeNode } from './opset/upgrade.ts';
import { resolveBranches } from './resolve-branches.ts';
import { resolveSequences } from './resolve-sequences.ts';
import { sortNodes } from './sort.ts';
import { widenFloats } from './widen-floats.ts';

/**
 * The model's graph in canonical form: ai.onnx opset 18, its own functions inlined, every constant an
 * initializer (under the name of the Constant node's output, where it was one), copies of initializers
 * resolved, initializers not among the inputs, nodes in topological order. Types are set for inputs and
 * initializers, and for outputs of ops of other domains where the file declares them; the rest is for
 * inference. Ops of unknown domains stay: they are an error only where a gradient has to pass.
 *
 * Elements stay views into the model's memory, but for 16-bit floats: they become float32, and so does all
 * that is computed from them (widenFloats).
 *
 * @throws SesdError SESD_BAD_MODEL for a graph that is not valid ONNX, SESD_UNSUPPORTED_OP for models that
 *   cannot be trained whatever is asked of them: quantized, or over strings.
 */
export function importGraph(model: OnnxModel): Graph {
  try {
    return importChecked(model);
  } catch (error) {
    throw within(model.path, error);
  }
}

function importChecked({ proto, external }: OnnxModel): Graph {
  const source = proto.graph;
  if (source === undefined) throw bad('there is no graph in the model');
  const opset = checkedOpset(standardOpset(proto.opsetImport));
  const nodes = inlinedNodes(proto, external, opset);
  for (const { node } of nodes) refuseQuantized(node);

  const graph: Graph = {
    opset: CANONICAL_OPSET,
    inputs: [],
    outputs: source.output.map(({ name }) => name),
    initializers: new Map(),
    nodes: nodes.map(({ node }) => node),
    types: new Map(),
  };
  addInitializers(graph, source, external);
  addInputs(graph, source.input);
  sortNodes(graph);
  checkOutputs(graph);
  canonicalize(graph, nodes, source.valueInfo);
  resolveBranches(graph);
  resolveSequences(graph);
  widenFloats(graph);
  return graph;
}

function bad(message: string, hint?: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', message, hint === undefined ? {} : { hint });
}

function checkedOpset(opset: number | undefined): number {
  if (opset === undefined) {
    throw bad('the model does not say which ai.onnx opset it is written in', 'Export it again.');
  }
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw bad(
      `the model is written in ai.onnx opset ${opset}; opsets ${OLDEST_OPSET} to ${NEWEST_OPSET} can be read`,
      `Export it with opset ${CANONICAL_OPSET}: torch.onnx.export(…, opset_version=${CANONICAL_OPSET}) or optimum-cli export onnx --opset ${CANONICAL_OPSET}.`,
    );
  }
  return opset;
}

function addInitializers(
  graph: Graph,
  source: GraphProto,
  external: ReadonlyMap<TensorProto, Uint8Array>,
): void {
  if (source.sparseInitializer.length > 0) {
    const name = source.sparseInitializer[0]?.values?.name ?? '';
    throw bad(`the initializer ${quote(name)} is sparse; expected dense weights`, 'Export a dense model.');
  }
  for (const tensor of source.initializer) {
    if (tensor.name === '') throw bad('an initializer has no name');
    if (graph.initializers.has(tensor.name)) throw bad(`two initializers are named ${quote(tensor.name)}`);
    addConstant(graph, tensor.name, tensorData(tensor, external));
  }
}

function addConstant(graph: Graph, name: string, data: TensorData): void {
  graph.initializers.set(name, data);
  graph.types.set(name, { dtype: data.dtype, dims: data.dims });
}

function addInputs(graph: Graph, inputs: readonly ValueInfoProto[]): void {
  const named = new Set<Dim>();
  for (const input of inputs) {
    for (const dim of input.type?.tensorType?.shape?.dim ?? []) {
      if (dim.value.case === 'dimParam') named.add(symbol(dim.value.value));
    }
  }
  for (const input of inputs) {
    // Files of IR version 3 and older list initializers among the inputs.
    if (graph.initializers.has(input.name)) continue;
    graph.inputs.push(input.name);
    graph.types.set(input.name, declaredType(input, named, `the input ${quote(input.name)}`));
  }
}

/** Dims without a name or number get a symbol each: nothing says that two of them are equal. */
function declaredType(info: ValueInfoProto, taken: Set<Dim>, what: string): ValueType {
  const tensor = info.type?.tensorType;
  if (tensor === undefined) throw bad(`${what} is not a tensor`, 'Export the model with tensor inputs only.');
  const dtype = dataTypeOf(tensor.elemType);
  if (dtype === undefined || dtype === 'string') {
    throw bad(
      `${what} holds ${dataTypeName(tensor.elemType)} elements; expected integers or floats`,
      dtype === 'string'
        ? 'The graph has a tokenizer or string lookup inside. Export the bare transformer, which takes input_ids.'
        : 'Export the model again with int64 or float32 inputs.',
    );
  }
  const rank = tensor.shape?.dim.length ?? 0;
  if (rank > MAX_RANK) throw bad(`${what} has ${rank} axes`);
  const dims = tensor.shape?.dim.map(({ value }, axis): Dim => {
    if (value.case === 'dimParam' && value.value !== '') return symbol(value.value);
    // Some converters write 0 or −1 for a dim that varies.
    if (value.case === 'dimValue' && value.value > 0n) return Number(value.value);
    let own = symbol(`${info.name}_dim${axis}`);
    while (taken.has(own)) own = `${own}_`;
    taken.add(own);
    return own;
  });
  return { dtype, dims };
}

function checkOutputs(graph: Graph): void {
  if (graph.outputs.length === 0) throw bad('the graph has no outputs');
  const given = new Set([...graph.inputs, ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const output of node.outputs) given.add(output);
  for (const output of graph.outputs) {
    if (!given.has(output)) throw bad(`no node gives the graph's output ${quote(output)}`);
  }
}

/** Rewrites the sorted nodes in opset 18, Constants as initializers. */
function canonicalize(graph: Graph, versioned: readonly VersionedNode[], valueInfo: ValueInfoProto[]): void {
  const opsets = new Map(versioned.map(({ node, opset }) => [node, checkedOpset(opset)]));
  const declared = new Map(valueInfo.map((info) => [info.name, info]));
  const sorted = graph.nodes;
  graph.nodes = [];
  const context = upgradeContext(graph, sorted, declared);
  // Only the softmax of old opsets asks for ranks.
  const inference = [...opsets.values()].some((opset) => opset < 13) ? newInference() : undefined;
  const copies = new Map<string, string>();
  const outputs = new Set(graph.outputs);
  const symbols = new Set<Dim>();
  const constants = new Set<string>();

  for (const node of sorted) {
    node.inputs = node.inputs.map((input) => copies.get(input) ?? input);
    // An absent last input is not there: the runtime crashes on some that are empty names.
    while (node.inputs.at(-1) === '') node.inputs.pop();
    if (node.op === 'Constant' && node.domain === '') {
      checkNode(node);
      addConstant(graph, node.outputs[0] ?? '', constantValue(node));
      constants.add(node.outputs[0] ?? '');
      continue;
    }
    if (opName(node) === 'LayerNormalization') dropZeroShift(graph, node, constants);
    const [source, copy] = [node.inputs[0] ?? '', node.outputs[0] ?? ''];
    if (opName(node) === 'Identity' && graph.initializers.has(source) && !outputs.has(copy)) {
      copies.set(copy, source);
      continue;
    }
    for (const upgraded of upgradeNode(node, opsets.get(node)!, context)) {
      checkNode(upgraded);
      graph.nodes.push(upgraded);
      if (inference !== undefined) inferNode(upgraded, graph, inference);
    }
    if (node.domain !== '') declareOutputs(graph, node, declared, symbols);
  }
}

/**
 * TorchScript gives a layer normalization without a shift a Constant of zeros for one. Beside a scale among the
 * weights that is no weight, and the op can do without.
 */
function dropZeroShift(graph: Graph, node: Node, constants: ReadonlySet<string>): void {
  const [, scale = '', shift = ''] = node.inputs;
  if (!constants.has(shift) || !graph.initializers.has(scale) || constants.has(scale)) return;
  if (graph.initializers.get(shift)!.bytes.every((byte) => byte === 0)) node.inputs.length = 2;
}

/** What the file says of the outputs of an op inference may not know. */
function declareOutputs(
  graph: Graph,
  node: Node,
  declared: ReadonlyMap<string, ValueInfoProto>,
  symbols: Set<Dim>,
): void {
  for (const output of node.outputs) {
    const info = declared.get(output);
    const elemType = info?.type?.tensorType?.elemType ?? 0;
    if (info === undefined || graph.types.has(output) || dataTypeOf(elemType) === undefined) continue;
    if (elemType !== STRING) graph.types.set(output, declaredType(info, symbols, `value ${quote(output)}`));
  }
}

const STRING = 8;

function upgradeContext(
  graph: Graph,
  nodes: readonly Node[],
  declared: ReadonlyMap<string, ValueInfoProto>,
): UpgradeContext {
  const taken = new Set([...graph.types.keys(), ...nodes.flatMap(({ outputs }) => outputs)]);
  const freshName = (hint: string): string => {
    let name = hint;
    for (let i = 2; taken.has(name); i++) name = `${hint}_${i}`;
    taken.add(name);
    return name;
  };
  const made = new Map<string, string>();
  const constant = (hint: string, data: TensorData): string => {
    let name = made.get(hint);
    if (name === undefined) {
      name = freshName(hint);
      made.set(hint, name);
      addConstant(graph, name, data);
    }
    return name;
  };
  return {
    freshName,
    ints: (values) => constant(`int64[${values.join()}]`, int64Tensor(values)),
    float: (value) => constant(`float32 ${value}`, scalarTensor(value, 'float32')),
    rank: (value) =>
      graph.types.get(value)?.dims?.length ?? declared.get(value)?.type?.tensorType?.shape?.dim.length,
  };
}

/** The value of a Constant node, in any of the forms opset 12 and later allow. */
function constantValue(node: Node): TensorData {
  for (const [name, attribute] of node.attributes) {
    if (name === 'value' && attribute.kind === 'tensor') return attribute.value;
    if (name === 'value_float' && attribute.kind === 'float') return scalarTensor(attribute.value, 'float32');
    if (name === 'value_int' && attribute.kind === 'int') {
      return { dtype: 'int64', dims: [], bytes: new Uint8Array(BigInt64Array.of(attribute.value).buffer) };
    }
    if (name === 'value_floats' && attribute.kind === 'floats') {
      return float32Tensor(attribute.value, [attribute.value.length]);
    }
    if (name === 'value_ints' && attribute.kind === 'ints') {
      const values = BigInt64Array.from(attribute.value);
      return { dtype: 'int64', dims: [values.length], bytes: new Uint8Array(values.buffer) };
    }
  }
  const found = [...node.attributes.keys()].join(', ') || 'nothing';
  throw new SesdError(
    'SESD_UNSUPPORTED_OP',
    `the Constant '${node.name}' is given by ${found}; expected a dense tensor or numbers`,
    { hint: 'Export the bare transformer, without string lookup and without sparse weights.' },
  );
}

const quantizedOps =
  /^(Q[A-Z]|Quantize|DynamicQuantize|Dequantize|MatMul(Integer|NBits|Bnb4|FpQ4)|ConvInteger|GatherBlockQuantized)/;

function refuseQuantized(node: Node): void {
  if (!quantizedOps.test(node.op)) return;
  throw new SesdError(
    'SESD_UNSUPPORTED_OP',
    `the model is quantized: node '${node.name}' (${opName(node)}) computes on rounded integers, which have no gradient`,
    {
      hint:
        'Train the float model it was made from (model.onnx instead of model_quantized.onnx or model_int8.onnx) ' +
        'and quantize the result.',
    },
  );
}
