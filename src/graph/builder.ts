import { dataTypeNumber } from '../onnx/tensor.ts';
import type { Dim } from './dims.ts';
import type { Attribute, DataType, Graph, Node, TensorData, ValueType } from './graph.ts';
import { elementsOf, type InferenceState, inferNode } from './infer/infer.ts';

export type AttributeInit =
  | number
  | bigint
  | string
  | boolean
  | readonly number[]
  | TensorData
  | { float: number };

export interface OpOptions {
  domain?: string;
  attributes?: Record<string, AttributeInit | undefined>;
  /** Name of the (first) output; a fresh name otherwise. */
  name?: string;
}

/** JavaScript numbers become ints when whole; pass `{float: x}` for a float attribute. */
export function toAttribute(value: AttributeInit): Attribute {
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'int', value: BigInt(value) };
  if (typeof value === 'boolean') return { kind: 'int', value: value ? 1n : 0n };
  if (typeof value === 'string') return { kind: 'string', value };
  if (Array.isArray(value)) return { kind: 'ints', value: value.map(BigInt) };
  if ('float' in value) return { kind: 'float', value: value.float };
  return { kind: 'tensor', value: value as TensorData };
}

/** Appends nodes to a graph under fresh names and infers the type of every value it makes. */
export class GraphBuilder {
  readonly graph: Graph;
  readonly inference: InferenceState;
  readonly #constants = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #prefix: string;
  #next = 0;

  constructor(graph: Graph, inference: InferenceState, prefix = 'sesd') {
    this.graph = graph;
    this.#prefix = prefix;
    this.inference = inference;
    for (const [name, { dims }] of graph.types) {
      this.#taken.add(name);
      inference.symbols.avoid(dims ?? []);
    }
    for (const node of graph.nodes) {
      this.#taken.add(node.name);
      for (const output of node.outputs) this.#taken.add(output);
    }
  }

  freshName(hint: string): string {
    let name: string;
    do name = `${this.#prefix}/${hint}_${this.#next++}`;
    while (this.#taken.has(name));
    this.#taken.add(name);
    return name;
  }

  typeOf(name: string): ValueType | undefined {
    return this.graph.types.get(name);
  }

  /** Elements of a small integer tensor as far as they are known before a run, in row-major order. */
  elementsOf(name: string): readonly Dim[] | undefined {
    return elementsOf(name, this.graph, this.inference);
  }

  /** The node's output at `index`; an optional one it did not have so far is asked for. */
  requireOutput(node: Node, index: number): string {
    while (node.outputs.length <= index) node.outputs.push('');
    if (!node.outputs[index]) {
      node.outputs[index] = this.freshName(`${node.op}_output${index}`);
      inferNode(node, this.graph, this.inference);
    }
    return node.outputs[index]!;
  }

  /** Appends a node with one output and returns that output's name. */
  op(op: string, inputs: readonly string[], options: OpOptions = {}): string {
    return this.multi(op, inputs, 1, options)[0]!;
  }

  /** The value in another element type. @param name of the output; a fresh one when absent */
  cast(value: string, to: DataType, name?: string): string {
    return this.op('Cast', [value], {
      attributes: { to: dataTypeNumber[to] },
      ...(name !== undefined && { name }),
    });
  }

  /** The value in this element type: itself where it has it. */
  as(value: string, dtype: DataType): string {
    return this.typeOf(value)?.dtype === dtype ? value : this.cast(value, dtype);
  }

  /** Appends a node with several outputs. */
  multi(op: string, inputs: readonly string[], outputCount: number, options: OpOptions = {}): string[] {
    const outputs: string[] = [];
    for (let i = 0; i < outputCount; i++) {
      outputs.push(i === 0 && options.name !== undefined ? options.name : this.freshName(op));
    }
    const attributes = new Map<string, Attribute>();
    for (const [key, value] of Object.entries(options.attributes ?? {})) {
      if (value !== undefined) attributes.set(key, toAttribute(value));
    }
    const node: Node = {
      name: this.freshName(`node_${op}`),
      op,
      domain: options.domain ?? '',
      inputs: [...inputs],
      outputs,
      attributes,
    };
    this.append(node);
    return outputs;
  }

  /** Appends a ready-made node and infers its outputs. */
  append(node: Node): void {
    this.graph.nodes.push(node);
    inferNode(node, this.graph, this.inference);
  }

  /** An initializer with this content; equal constants share one. */
  constant(tensor: TensorData): string {
    const key = `${tensor.dtype}[${tensor.dims.join()}]${Buffer.from(tensor.bytes).toString('latin1')}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.freshName('constant');
      this.graph.initializers.set(name, tensor);
      this.graph.types.set(name, { dtype: tensor.dtype, dims: tensor.dims });
      this.#constants.set(key, name);
    }
    return name;
  }

  /** A scalar of the given float (or integer) type. */
  scalar(value: number, dtype: DataType = 'float32'): string {
    return this.constant(scalarTensor(value, dtype));
  }

  /** A vector of int64. */
  ints(...values: number[]): string {
    return this.constant(int64Tensor(values));
  }
}

export function int64Tensor(
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorData {
  return { dtype: 'int64', dims, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}

export function float32Tensor(values: ArrayLike<number>, dims: readonly number[]): TensorData {
  return { dtype: 'float32', dims, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export function scalarTensor(value: number, dtype: DataType): TensorData {
  switch (dtype) {
    case 'float32':
      return float32Tensor([value], []);
    case 'float64':
      return { dtype, dims: [], bytes: new Uint8Array(Float64Array.of(value).buffer) };
    case 'int64':
      return int64Tensor([value], []);
    case 'int32':
      return { dtype, dims: [], bytes: new Uint8Array(Int32Array.of(value).buffer) };
    case 'bool':
      return { dtype, dims: [], bytes: Uint8Array.of(value ? 1 : 0) };
    default:
      throw new TypeError(`no scalar constants of type ${dtype}`);
  }
}
