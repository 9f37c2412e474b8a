import { type GraphBuilder, int64Tensor } from '../builder.ts';
import type { Dim } from '../dims.ts';
import { elementwise } from '../elementwise.ts';
import { type Graph, intAttribute, intsAttribute, type Node, opName } from '../graph.ts';
import { removeDeadNodes } from '../rewrite.ts';
import { sortNodes } from '../sort.ts';
import { GraphView } from '../view.ts';

/**
 * Where the head reads one token of each sequence, as [CLS], computes only that token in the last layer: its
 * query, its attention, its feed-forward part; keys and values are of all tokens. Every other state of the last
 * layer would be thrown away. The same numbers come out, and the same gradients.
 *
 * A value all whose readers take one position of an axis is computed at that position alone, as far down as its
 * operators let positions go apart.
 *
 * @returns Whether anything became smaller; then types have to be inferred again.
 */
export function narrowTokens(builder: GraphBuilder): boolean {
  const { graph } = builder;
  const token = graph.nodes.map((node) => tokenRead(builder, node)).find((read) => read !== undefined);
  if (token === undefined) return false;
  const narrowing = new Narrowing(builder, token);
  if (!narrowing.plan()) return false;
  narrowing.apply();
  sortNodes(graph);
  removeDeadNodes(graph);
  return true;
}

const TOKENS = 1;

/** The position of the token axis of [batch, sequence, hidden] a Gather takes, if it takes one. */
function tokenRead(builder: GraphBuilder, node: Node): number | undefined {
  if (opName(node) !== 'Gather') return undefined;
  const rank = builder.typeOf(node.inputs[0]!)?.dims?.length;
  const positions = builder.elementsOf(node.inputs[1]!);
  const position = positions?.length === 1 ? positions[0] : undefined;
  const isToken = rank === 3 && intAttribute(node, 'axis', 0) === TOKENS;
  return isToken && typeof position === 'number' && position >= 0 ? position : undefined;
}

/** Of one reader: which axis of each input it takes one position of; undefined for inputs it takes whole. */
type Axes = readonly (number | undefined)[];

class Narrowing {
  readonly #builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #token: number;
  /** Readers of one token of a whole value. */
  readonly #roots = new Set<Node>();
  readonly #narrowed = new Map<Node, { axis: number; inputs: Axes }>();

  constructor(builder: GraphBuilder, token: number) {
    this.#builder = builder;
    this.#graph = builder.graph;
    this.#token = token;
  }

  /** Finds the nodes to narrow, readers before what they read. */
  plan(): boolean {
    const view = new GraphView(this.#graph);
    const wanted = new Map<string, { axis: number; readers: Set<Node> }>();
    const want = (value: string, axis: number, reader: Node) => {
      const known = wanted.get(value);
      if (!known) wanted.set(value, { axis, readers: new Set([reader]) });
      else if (known.axis === axis) known.readers.add(reader);
    };
    for (const node of [...this.#graph.nodes].reverse()) {
      if (tokenRead(this.#builder, node) === this.#token) {
        this.#roots.add(node);
        want(node.inputs[0]!, TOKENS, node);
        continue;
      }
      const [output, ...others] = node.outputs;
      const demand = wanted.get(output!);
      if (!demand || others.some(Boolean) || this.#graph.outputs.includes(output!)) continue;
      if (!view.users(output!).every((reader) => demand.readers.has(reader))) continue;
      const inputs = narrowedInputs(this.#builder, node, demand.axis);
      if (!inputs) continue;
      this.#narrowed.set(node, { axis: demand.axis, inputs });
      for (const [index, axis] of inputs.entries())
        if (axis !== undefined) want(node.inputs[index]!, axis, node);
    }
    return this.#narrowed.size > 0;
  }

  apply(): void {
    const outputs = new Set([...this.#narrowed.keys()].map(({ outputs: [output] }) => output));
    const gathered = new Map<string, string>();
    for (const [node, { axis, inputs }] of this.#narrowed) {
      if (node.op === 'Reshape') {
        node.inputs[1] = this.#builder.ints(...reshapeTarget(this.#builder, node, axis)!);
        node.attributes = new Map(); // without allowzero, whatever the old target needed
      }
      for (const [index, along] of inputs.entries()) {
        const input = node.inputs[index]!;
        if (along !== undefined && !outputs.has(input))
          node.inputs[index] = this.#gather(input, along, gathered);
      }
    }
    for (const root of this.#roots) {
      if (!outputs.has(root.inputs[0])) continue;
      const { dims } = this.#builder.typeOf(root.inputs[1]!)!;
      root.inputs[1] = this.#builder.constant(int64Tensor([0], dims as number[]));
    }
  }

  /** The one position of a value that stays whole, which keeps its rank. */
  #gather(value: string, axis: number, gathered: Map<string, string>): string {
    const key = `${axis} ${value}`;
    let narrow = gathered.get(key);
    if (narrow === undefined) {
      narrow = this.#builder.op('Gather', [value, this.#builder.ints(this.#token)], { attributes: { axis } });
      gathered.set(key, narrow);
    }
    return narrow;
  }
}

/** What a node needs of its inputs to give one position of `axis` of its output; undefined if that cannot be said. */
function narrowedInputs(builder: GraphBuilder, node: Node, axis: number): Axes | undefined {
  const op = opName(node);
  const dims = (name: string | undefined) => (name ? builder.typeOf(name)?.dims : undefined);
  const rank = dims(node.outputs[0])?.length;
  if (rank === undefined) return undefined;
  const last = rank - 1;
  const along = (attribute: string, fallback: number) => {
    const given = intAttribute(node, attribute, fallback);
    return given < 0 ? given + rank : given;
  };
  if (elementwise.has(op)) return broadcastAxes(node.inputs.map(dims), dims(node.outputs[0])!, axis);
  switch (op) {
    case 'LayerNormalization':
      return along('axis', -1) > axis ? [axis, undefined, undefined] : undefined;
    case 'Softmax':
      return along('axis', -1) !== axis ? [axis] : undefined;
    case 'ReduceMean':
    case 'ReduceSum': {
      const axes = node.inputs[1] ? builder.elementsOf(node.inputs[1]) : undefined;
      const keeps = intAttribute(node, 'keepdims', 1) === 1;
      const apart = axes?.every((each) => typeof each === 'number' && (each + rank) % rank !== axis);
      return keeps && apart ? [axis, undefined] : undefined;
    }
    case 'MatMul': {
      const [left, right] = node.inputs.map(dims);
      if (axis === last || left?.length !== rank) return undefined;
      return axis === last - 1 || right?.length === 2 ? [axis, undefined] : undefined;
    }
    case 'Transpose': {
      const from = intsAttribute(node, 'perm')?.[axis];
      return from === undefined ? undefined : [from];
    }
    case 'Reshape':
      return reshapeTarget(builder, node, axis) ? [axis, undefined] : undefined;
    default:
      return undefined;
  }
}

function broadcastAxes(
  inputs: readonly (readonly Dim[] | undefined)[],
  output: readonly Dim[],
  axis: number,
): Axes | undefined {
  const axes: (number | undefined)[] = [];
  for (const dims of inputs) {
    if (!dims) return undefined;
    const own = axis - output.length + dims.length;
    if (own < 0 || dims[own] === 1) axes.push(undefined);
    else if (dims[own] === output[axis]) axes.push(own);
    else return undefined;
  }
  return axes;
}

/**
 * The target of a Reshape that leaves the axes up to `axis` as they are, with one position of that axis: 0 copies a
 * dim. Undefined for other Reshapes.
 */
function reshapeTarget(builder: GraphBuilder, node: Node, axis: number): number[] | undefined {
  const from = builder.typeOf(node.inputs[0]!)?.dims;
  const to = builder.typeOf(node.outputs[0]!)?.dims;
  if (!from || !to) return undefined;
  for (let i = 0; i <= axis; i++) if (from[i] === undefined || from[i] !== to[i]) return undefined;
  const rest = to.slice(axis + 1);
  if (rest.some((dim) => typeof dim !== 'number' || dim === 0)) return undefined;
  return [...to.slice(0, axis).map(() => 0), 1, ...(rest as number[])];
}
