import type { GraphBuilder } from '../builder.ts';
import { type Dim, factorsOf } from '../dims.ts';
import { type Graph, intAttribute, type Node } from '../graph.ts';
import { sortNodes } from '../sort.ts';
import { shapeNodes } from './shape-nodes.ts';

export interface HoistOptions {
  /** The inputs to read shapes from; those of the graph when absent. */
  from?: readonly string[];
  /** Nodes that run before those of the graph. */
  before?: readonly Node[];
}

/**
 * Takes shapes from the graph's inputs instead of from activations. What an exporter writes as
 * Shape(activation) is known to be [batch, sequence, 768]; read from the token ids it no longer ties the
 * activation down, so that patterns around it can be fused and nothing is kept for its shape alone.
 */
export function hoistShapes(builder: GraphBuilder, options: HoistOptions = {}): void {
  const { graph } = builder;
  const { from = graph.inputs, before = [] } = options;
  const dims = new KnownDims(builder, from, before);
  const shapes = new Map<string, string>();
  for (const node of graph.nodes.filter((candidate) => candidate.op === 'Shape')) {
    const wanted = shapeOf(graph, node);
    if (from.includes(node.inputs[0]!) || !wanted?.length) continue;
    if (!wanted.every((dim) => dims.has(dim))) continue;
    const key = wanted.join();
    const shared =
      shapes.get(key) ??
      builder.op(
        'Concat',
        wanted.map((dim) => dims.vector(dim)),
        { attributes: { axis: 0 } },
      );
    shapes.set(key, shared);
    // keeps its output's name; simplify() takes the Identity out
    node.op = 'Identity';
    node.inputs = [shared];
    node.attributes = new Map();
  }
  sortNodes(graph);
}

/** Where a symbol can be read off: an axis of an input, or an element of what is computed from such. */
type Source = { input: string; axis: number } | { value: string; element: number };

/** The dims that follow from the shapes of some inputs, as vectors of one element. */
class KnownDims {
  readonly #builder: GraphBuilder;
  readonly #sources = new Map<Dim, Source>();
  readonly #vectors = new Map<Dim, string>();

  constructor(builder: GraphBuilder, from: readonly string[], before: readonly Node[]) {
    this.#builder = builder;
    const { graph } = builder;
    for (const input of from) {
      for (const [axis, dim] of (graph.types.get(input)?.dims ?? []).entries())
        this.#add(dim, { input, axis });
    }
    for (const { outputs } of shapeNodes({ ...graph, nodes: [...before, ...graph.nodes] }, new Set(from))) {
      for (const value of outputs) {
        if (graph.types.get(value)?.dtype !== 'int64') continue;
        for (const [element, dim] of (builder.elementsOf(value) ?? []).entries())
          this.#add(dim, { value, element });
      }
    }
  }

  #add(dim: Dim, source: Source): void {
    if (typeof dim === 'string' && !this.#sources.has(dim)) this.#sources.set(dim, source);
  }

  has(dim: Dim): boolean {
    return factorsOf(dim).every((factor) => typeof factor === 'number' || this.#sources.has(factor));
  }

  vector(dim: Dim): string {
    const known = this.#vectors.get(dim);
    if (known !== undefined) return known;
    const factors = factorsOf(dim);
    const vector =
      factors.length === 1
        ? this.#read(dim)
        : factors.map((factor) => this.vector(factor)).reduce((a, b) => this.#builder.op('Mul', [a, b]));
    this.#vectors.set(dim, vector);
    return vector;
  }

  #read(dim: Dim): string {
    const builder = this.#builder;
    if (typeof dim === 'number') return builder.ints(dim);
    const source = this.#sources.get(dim)!;
    const [vector, at] =
      'input' in source
        ? [builder.op('Shape', [source.input]), source.axis]
        : [builder.op('Reshape', [source.value, builder.ints(-1)]), source.element];
    return builder.op('Gather', [vector, builder.ints(at)]);
  }
}

function shapeOf(graph: Graph, node: Node) {
  const dims = graph.types.get(node.inputs[0]!)?.dims;
  return dims?.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', dims.length));
}
