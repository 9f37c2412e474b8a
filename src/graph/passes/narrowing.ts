import type { GraphBuilder } from '../builder.ts';
import type { Dim } from '../dims.ts';
import { elementwise } from '../elementwise.ts';
import { type Graph, intAttribute, intsAttribute, type Node, opName } from '../graph.ts';
import { GraphView } from '../view.ts';

/** A part of an axis: of a value whose readers all take it, nothing else has to be computed. */
export interface Part {
  /** The axis of its first input that a node takes the part of, if it does. */
  readBy(node: Node): number | undefined;
  /** Emits the part of a value, which keeps its rank. */
  take(value: string, axis: number): string;
  /** Length of the part as a Reshape is told it: −1 for one that is known in the run. */
  length: 1 | -1;
}

/** Of one reader: which axis of each input it takes the part of; undefined for inputs it takes whole. */
type Axes = readonly (number | undefined)[];

/**
 * Computes a value all whose readers take one part of an axis at that part alone, as far down as its operators let
 * positions go apart. The same numbers come out, and the same gradients.
 */
export class Narrowing {
  readonly #builder: GraphBuilder;
  readonly #graph: Graph;
  readonly #part: Part;
  readonly #roots: Node[] = [];
  readonly #narrowed = new Map<Node, { axis: number; inputs: Axes }>();

  constructor(builder: GraphBuilder, part: Part) {
    this.#builder = builder;
    this.#graph = builder.graph;
    this.#part = part;
    this.#plan();
  }

  /** Finds the nodes to narrow, readers before what they read. */
  #plan(): void {
    const view = new GraphView(this.#graph);
    const wanted = new Map<string, { axis: number; readers: Set<Node> }>();
    const want = (value: string, axis: number, reader: Node) => {
      const known = wanted.get(value);
      if (!known) wanted.set(value, { axis, readers: new Set([reader]) });
      else if (known.axis === axis) known.readers.add(reader);
    };
    for (const node of [...this.#graph.nodes].reverse()) {
      const read = this.#part.readBy(node);
      if (read !== undefined) {
        this.#roots.push(node);
        want(node.inputs[0]!, read, node);
        continue;
      }
      const [output, ...others] = node.outputs;
      const demand = wanted.get(output!);
      if (!demand || others.some(Boolean) || this.#graph.outputs.includes(output!)) continue;
      if (!view.users(output!).every((reader) => demand.readers.has(reader))) continue;
      const inputs = narrowedInputs(this.#builder, node, demand.axis, this.#part.length);
      if (!inputs) continue;
      this.#narrowed.set(node, { axis: demand.axis, inputs });
      for (const [index, axis] of inputs.entries())
        if (axis !== undefined) want(node.inputs[index]!, axis, node);
    }
  }

  /** Narrows. @returns the nodes that read the part, of those whose first input has become it */
  apply(): Node[] {
    const outputs = new Set([...this.#narrowed.keys()].map(({ outputs: [output] }) => output!));
    const taken = new Map<string, string>();
    for (const [node, { axis, inputs }] of this.#narrowed) {
      if (node.op === 'Reshape') {
        node.inputs[1] = narrowedReshape(this.#builder, node, axis, this.#part.length)!.target();
        node.attributes = new Map(); // without allowzero, whatever the old target needed
      }
      for (const [index, along] of inputs.entries()) {
        const input = node.inputs[index]!;
        if (along !== undefined && !outputs.has(input)) node.inputs[index] = this.#take(input, along, taken);
      }
    }
    return this.#roots.filter(({ inputs: [input] }) => outputs.has(input!));
  }

  /** The part of a value that stays whole. */
  #take(value: string, axis: number, taken: Map<string, string>): string {
    const key = `${axis} ${value}`;
    let part = taken.get(key);
    if (part === undefined) {
      part = this.#part.take(value, axis);
      taken.set(key, part);
    }
    return part;
  }
}

/** What a node needs of its inputs to give a part of `axis` of its output; undefined if that cannot be said. */
function narrowedInputs(
  builder: GraphBuilder,
  node: Node,
  axis: number,
  length: Part['length'],
): Axes | undefined {
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
      if (axis === last) return right?.length === rank ? [undefined, axis] : undefined;
      if (left?.length !== rank) return undefined;
      return axis === last - 1 || right?.length === 2 ? [axis, undefined] : undefined;
    }
    case 'Transpose': {
      const from = intsAttribute(node, 'perm')?.[axis];
      return from === undefined ? undefined : [from];
    }
    case 'GatherElements': {
      if (along('axis', 0) === axis) return [undefined, axis];
      const [data, indices] = node.inputs.map(dims);
      return data?.[axis] === indices?.[axis] ? [axis, axis] : undefined;
    }
    case 'Tile':
      return builder.elementsOf(node.inputs[1]!)?.[axis] === 1 ? [axis, undefined] : undefined;
    case 'Reshape': {
      const reshape = narrowedReshape(builder, node, axis, length);
      return reshape && [reshape.from, undefined];
    }
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
 * Which axis of its input a Reshape's axis is, where it is one, and what emits the target for a part of it. Undefined for other
 * Reshapes.
 */
function narrowedReshape(
  builder: GraphBuilder,
  node: Node,
  axis: number,
  length: Part['length'],
): { from: number; target: () => string } | undefined {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!].map((name) => builder.typeOf(name)?.dims);
  const elements = builder.elementsOf(node.inputs[1]!);
  if (!input || !output) return undefined;
  const { symbols } = builder.inference;
  const product = (dims: readonly Dim[]) => dims.reduce((a, b) => symbols.multiply(a, b), 1);
  const from = input.findIndex((dim, i) => {
    const before = product(input.slice(0, i)) === product(output.slice(0, axis));
    return dim === output[axis] && before && product(input.slice(i + 1)) === product(output.slice(axis + 1));
  });
  if (from < 0) return undefined;

  // A number says a dim that is known, 0 that it is the input's, −1, of one, that it follows; else the old target has it.
  let open = length === -1;
  const target = output.map((dim, i): number | undefined => {
    if (i === axis) return length;
    if (typeof dim === 'number' && dim > 0) return dim;
    if (dim === input[i] && i !== from) return 0;
    if (open || elements?.[i] !== -1) return undefined;
    open = true;
    return -1;
  });
  if (target.every((dim) => dim !== undefined)) return { from, target: () => builder.ints(...target) };
  if (target.some((dim, i) => dim === undefined && typeof elements?.[i] !== 'string')) return undefined;
  const old = node.inputs[1]!;
  return {
    from,
    target: () => {
      const parts = target.map((dim, i) =>
        dim === undefined ? builder.op('Gather', [old, builder.ints(i)]) : builder.ints(dim),
      );
      return builder.op('Concat', parts, { attributes: { axis: 0 } });
    },
  };
}
