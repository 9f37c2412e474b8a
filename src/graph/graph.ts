import type { Dim } from './dims.ts';

/** Element types, named as in the ONNX IR. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'
  | 'string';

/** Bytes per element; strings have none. */
export const elementSize: Readonly<Record<DataType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  string: 0,
};

export function isFloat(dtype: DataType): boolean {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/** A dense constant: little-endian elements in row-major order, usually a view into a file's bytes. */
export interface TensorData {
  dtype: DataType;
  dims: readonly number[];
  /** Exactly elementSize × product(dims) bytes; may be unaligned. */
  bytes: Uint8Array;
}

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

export function consumers(graph: Graph): Map<string, Node[]> {
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
