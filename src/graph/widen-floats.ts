import { floatElements } from '../onnx/tensor.ts';
import {
  type Attribute,
  type DataType,
  type Graph,
  intAttribute,
  type Node,
  opName,
  producers,
  type TensorData,
} from './graph.ts';
import { inferGraph } from './infer/infer.ts';

/**
 * Turns a graph of 16-bit floats into one of float32, in place: initializers, inputs, and the types nodes name
 * in attributes. Weights are trained in float32 whatever they are stored in, and bfloat16 has no kernels on
 * most devices. Everything a 16-bit graph computes it then computes with less rounding. Casts between floats
 * go: converters put them around inputs and outputs.
 *
 * @returns Whether there was anything to widen.
 */
export function widenFloats(graph: Graph): boolean {
  const stored = [...graph.types.values()].some(({ dtype }) => isHalf(dtype));
  if (!stored && !graph.nodes.some(namesHalf)) return false;
  dropFloatCasts(graph);
  for (const [name, data] of graph.initializers) {
    if (isHalf(data.dtype)) graph.initializers.set(name, widenTensor(data));
  }
  for (const [name, type] of graph.types) {
    if (isHalf(type.dtype)) graph.types.set(name, { ...type, dtype: 'float32' });
  }
  for (const node of graph.nodes) widenAttributes(node);
  return true;
}

/** Attributes that name an element type: Cast's, those of the random ops, of LayerNormalization. */
export const typeAttributes: readonly string[] = ['to', 'dtype', 'stash_type', 'softmax_precision'];
const FLOAT = 1;
const halfTypes = new Set([10, 16]);

function namesHalf(node: Node): boolean {
  return typeAttributes.some((name) => halfTypes.has(intAttribute(node, name, FLOAT)));
}

function dropFloatCasts(graph: Graph): void {
  inferGraph(graph);
  const outputs = new Set(graph.outputs);
  const producer = producers(graph);
  const renamed = new Map<string, string>();
  const now = (name: string): string => renamed.get(name) ?? name;
  graph.nodes = graph.nodes.filter((node) => {
    if (!isFloatCast(node, graph)) return true;
    const [from, to] = [now(node.inputs[0]!), node.outputs[0]!];
    if (!outputs.has(to)) {
      renamed.set(to, from);
      return false;
    }
    // The value takes the output's name, unless it has to keep its own.
    const source = producer.get(from);
    if (source === undefined || outputs.has(from)) return true;
    source.outputs = source.outputs.map((name) => (name === from ? to : name));
    producer.set(to, source);
    for (const [alias, name] of renamed) if (name === from) renamed.set(alias, to);
    renamed.set(from, to);
    return false;
  });
  for (const node of graph.nodes) node.inputs = node.inputs.map(now);
}

function isFloatCast(node: Node, graph: Graph): boolean {
  if (opName(node) !== 'Cast') return false;
  const from = graph.types.get(node.inputs[0] ?? '')?.dtype;
  const to = intAttribute(node, 'to', 0);
  // float64 stays apart: casts to and from it still round.
  return (from === 'float32' || (from !== undefined && isHalf(from))) && (to === FLOAT || halfTypes.has(to));
}

const isHalf = (dtype: DataType): boolean => dtype === 'float16' || dtype === 'bfloat16';

function widenTensor(data: TensorData): TensorData {
  const values = floatElements(data);
  return {
    dtype: 'float32',
    dims: data.dims,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

function widenAttributes(node: Node): void {
  const attributes = new Map<string, Attribute>(node.attributes);
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'tensor' && isHalf(attribute.value.dtype)) {
      attributes.set(name, { kind: 'tensor', value: widenTensor(attribute.value) });
    }
  }
  for (const name of typeAttributes) {
    if (halfTypes.has(intAttribute(node, name, FLOAT))) {
      attributes.set(name, { kind: 'int', value: BigInt(FLOAT) });
    }
  }
  node.attributes = attributes;
}
