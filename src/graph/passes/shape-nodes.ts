import type { Graph, Node } from '../graph.ts';

/** More than any shape has; what has more elements is data. */
const MAX_ELEMENTS = 64;

/**
 * The nodes that compute small values from nothing but the shapes of some inputs.
 * @param graph whose nodes are in topological order
 */
export function shapeNodes(graph: Graph, inputs: ReadonlySet<string>): Set<Node> {
  const values = new Set<string>();
  const nodes = new Set<Node>();
  for (const node of graph.nodes) {
    if (!isShapeOf(node, inputs) && !followsFrom(node, values, graph)) continue;
    if (!node.outputs.every((output) => output === '' || isSmall(output, graph))) continue;
    nodes.add(node);
    for (const output of node.outputs) values.add(output);
  }
  return nodes;
}

function isShapeOf({ op, inputs }: Node, fed: ReadonlySet<string>): boolean {
  return (op === 'Shape' || op === 'Size') && fed.has(inputs[0]!);
}

function followsFrom({ inputs }: Node, known: ReadonlySet<string>, { initializers }: Graph): boolean {
  return (
    inputs.some((input) => known.has(input)) &&
    inputs.every((input) => input === '' || known.has(input) || initializers.has(input))
  );
}

function isSmall(value: string, { types }: Graph): boolean {
  const dims = types.get(value)?.dims;
  if (!dims?.every((dim) => typeof dim === 'number')) return false;
  return dims.reduce<number>((product, dim) => product * (dim as number), 1) <= MAX_ELEMENTS;
}
