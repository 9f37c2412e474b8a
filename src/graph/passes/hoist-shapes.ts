import type { GraphBuilder } from '../builder.ts';
import { type Graph, intAttribute, type Node } from '../graph.ts';
import { sortNodes } from '../sort.ts';

/**
 * Takes shapes from the graph's inputs instead of from activations. What an exporter writes as
 * Shape(activation) is known to be [batch, sequence, 768]; read from the token ids it no longer ties the
 * activation down, so that patterns around it can be fused and nothing is kept for its shape alone.
 *
 * @param from the inputs to read them from
 */
export function hoistShapes(builder: GraphBuilder, from: readonly string[] = builder.graph.inputs): void {
  const { graph } = builder;
  const sources = inputDims(graph, from);
  const shapes = new Map<string, string>();
  const elements = new Map<string, string>();
  for (const node of graph.nodes.filter((candidate) => candidate.op === 'Shape')) {
    const dims = shapeOf(graph, node);
    if (from.includes(node.inputs[0]!) || !dims?.length) continue;
    if (!dims.every((dim) => typeof dim === 'number' || sources.has(dim))) continue;
    const key = dims.join();
    let shared = shapes.get(key);
    if (shared === undefined) {
      const parts = dims.map((dim) => {
        if (typeof dim === 'number') return builder.ints(dim);
        const known = elements.get(dim);
        if (known !== undefined) return known;
        const { input, axis } = sources.get(dim)!;
        const element = builder.op('Gather', [builder.op('Shape', [input]), builder.ints(axis)]);
        elements.set(dim, element);
        return element;
      });
      shared = builder.op('Concat', parts, { attributes: { axis: 0 } });
      shapes.set(key, shared);
    }
    // keeps its output's name; simplify() takes the Identity out
    node.op = 'Identity';
    node.inputs = [shared];
    node.attributes = new Map();
  }
  sortNodes(graph);
}

/** Where each symbol can be read off: an axis of a graph input. */
function inputDims(
  graph: Graph,
  from: readonly string[],
): Map<string | number, { input: string; axis: number }> {
  const sources = new Map<string | number, { input: string; axis: number }>();
  for (const input of from) {
    for (const [axis, dim] of (graph.types.get(input)?.dims ?? []).entries()) {
      if (typeof dim === 'string' && !sources.has(dim)) sources.set(dim, { input, axis });
    }
  }
  return sources;
}

function shapeOf(graph: Graph, node: Node) {
  const dims = graph.types.get(node.inputs[0]!)?.dims;
  return dims?.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', dims.length));
}
