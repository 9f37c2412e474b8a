import { consumers, type Graph, type Node, opName, producers, type TensorData } from './graph.ts';

/** A graph with its def-use chains at hand, for pattern matching. Valid until the graph changes. */
export class GraphView {
  readonly graph: Graph;
  readonly #producers: Map<string, Node>;
  readonly #consumers: Map<string, Node[]>;
  readonly #outputs: Set<string>;

  constructor(graph: Graph) {
    this.graph = graph;
    this.#producers = producers(graph);
    this.#consumers = consumers(graph);
    this.#outputs = new Set(graph.outputs);
  }

  producer(value: string | undefined): Node | undefined {
    return value === undefined ? undefined : this.#producers.get(value);
  }

  /** The producer of `value` if it is one of these ops. */
  producerOf(value: string | undefined, ...ops: string[]): Node | undefined {
    const node = this.producer(value);
    return node && ops.includes(opName(node)) ? node : undefined;
  }

  /** The value and everything it is computed from. */
  ancestors(value: string): Set<string> {
    const found = new Set([value]);
    for (const name of found) for (const input of this.producer(name)?.inputs ?? []) found.add(input);
    return found;
  }

  users(value: string): readonly Node[] {
    return this.#consumers.get(value) ?? [];
  }

  /** The one node that reads `value`; undefined when several do or it is a graph output. */
  soleUser(value: string): Node | undefined {
    const users = this.users(value);
    return users.length === 1 && !this.#outputs.has(value) ? users[0] : undefined;
  }

  isInitializer(value: string): boolean {
    return this.graph.initializers.has(value);
  }

  rank(value: string): number | undefined {
    return this.graph.types.get(value)?.dims?.length;
  }

  /** The number in a constant of one element. */
  scalar(value: string | undefined): number | undefined {
    const tensor = value === undefined ? undefined : this.graph.initializers.get(value);
    return tensor && scalarOf(tensor);
  }

  /** For a two-input node with one constant of one element: that number and the other input. */
  scalarOperand(node: Node): { value: number; other: string; index: 0 | 1 } | undefined {
    for (const index of [1, 0] as const) {
      const value = this.scalar(node.inputs[index]);
      if (value !== undefined) return { value, other: node.inputs[1 - index]!, index };
    }
    return undefined;
  }
}

/** The element of a one-element float or integer tensor. */
export function scalarOf(tensor: TensorData): number | undefined {
  if (tensor.dims.some((dim) => dim !== 1)) return undefined;
  const { bytes } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (tensor.dtype) {
    case 'float32':
      return view.getFloat32(0, true);
    case 'float64':
      return view.getFloat64(0, true);
    case 'int64':
      return Number(view.getBigInt64(0, true));
    case 'int32':
      return view.getInt32(0, true);
    case 'bool':
    case 'uint8':
      return bytes[0];
    default:
      return undefined;
  }
}

/** Whether two numbers agree to `tolerance`, relative to the second. */
export function near(value: number | undefined, expected: number, tolerance = 1e-3): boolean {
  return value !== undefined && Math.abs(value - expected) <= tolerance * Math.abs(expected);
}
