import type { DataType, TensorData } from '../onnx/tensor.ts';
import type { Dim } from './dims.ts';

export { type DataType, elementSize, isFloat, type TensorData } from '../onnx/tensor.ts';

export type Attribute =
  | { kind: 'int'; value: bigint }
  | { kind: 'float'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'ints'; value: readonly bigint[] }
  | { kind: 'floats'; value: readonly number[] }
  | { kind: 'strings'; value: readonly string[] }
  | { kind: 'tensor'; value: TensorData }
  | { kind: 'graph' };

/** One operator. `domain` is '' for ai.onnx; an absent optional input or output is ''. */
export interface Node {
  name: string;
  op: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: ReadonlyMap<string, Attribute>;
}

/** What is known of a value before it is computed. `dims` is undefined when not even the rank is known. */
export interface ValueType {
  dtype: DataType;
  dims: readonly Dim[] | undefined;
}

/** A graph in single-assignment form; `nodes` are in topological order. */
export interface Graph {
  /** ai.onnx opset its nodes are written in. */
  opset: number;
  inputs: string[];
  outputs: string[];
  initializers: Map<string, TensorData>;
  nodes: Node[];
  /** Types of inputs, initializers and (after inference) every value. */
  types: Map<string, ValueType>;
}

/** The opset the training graphs are written in: the newest whose ops all have CPU and CUDA kernels. */
export const CANONICAL_OPSET = 18;

/** `Softmax`, or `com.microsoft::Gelu` for ops outside ai.onnx. */
export function opName(node: Pick<Node, 'op' | 'domain'>): string {
  return node.domain === '' || node.domain === 'ai.onnx' ? node.op : `${node.domain}::${node.op}`;
}

export function producers(graph: Graph): Map<string, Node> {
  const map = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output) map.set(output, node);
  return map;
}

export function consumers(graph: { nodes: readonly Node[] }): Map<string, Node[]> {
  const map = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      if (!input) continue;
      const list = map.get(input);
      if (list) list.push(node);
      else map.set(input, [node]);
    }
  }
  return map;
}

export function intAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? Number(attribute.value) : fallback;
}

export function floatAttribute(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

export function intsAttribute(node: Node, name: string): number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value.map(Number) : undefined;
}

export function stringAttribute(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : fallback;
}
