import type { Graph, Node } from '../graph.ts';
import { serializeGraph } from '../serialize.ts';

/** A graph that computes small values from a batch's shape, for another graph that reads them. */
export interface HostShapes {
  model: Uint8Array;
  /** Inputs of the graph it was cut off. */
  feeds: string[];
  /** Inputs of that graph from now on. */
  outputs: string[];
}

/** More than any shape has; what has more elements is data. */
const MAX_ELEMENTS = 64;

/**
 * Cuts off what a graph computes of shapes, to be done on the host. ONNX Runtime places such nodes on the CPU, also in a
 * graph for a GPU, and then refuses the graph where nodes on the CPU are not allowed
 * (onnxruntime/core/framework/fallback_cpu_capability.cc). Shapes are taken from the graph's inputs: see hoistShapes.
 *
 * @param fed the graph's inputs that are on the host
 * @returns undefined when there is nothing to cut
 */
export function cutShapes(graph: Graph, fed: ReadonlySet<string>): HostShapes | undefined {
  const onHost = new Set<string>();
  const nodes = new Set<Node>();
  for (const node of graph.nodes) {
    if (!isShapeOf(node, fed) && !followsFrom(node, onHost, graph)) continue;
    if (!node.outputs.every((output) => output === '' || isSmall(output, graph))) continue;
    nodes.add(node);
    for (const output of node.outputs) onHost.add(output);
  }
  const left = graph.nodes.filter((node) => !nodes.has(node));
  const read = new Set([...graph.outputs, ...left.flatMap(({ inputs }) => inputs)]);
  const outputs = [...onHost].filter((value) => value !== '' && read.has(value));
  if (outputs.length === 0) return undefined;
  const feeds = graph.inputs.filter((name) => [...nodes].some(({ inputs }) => inputs.includes(name)));
  const model = serializeGraph({ ...graph, inputs: feeds, outputs });
  graph.nodes = left;
  graph.inputs = [...graph.inputs, ...outputs];
  return { model, feeds, outputs };
}

function isShapeOf({ op, inputs }: Node, fed: ReadonlySet<string>): boolean {
  return (op === 'Shape' || op === 'Size') && fed.has(inputs[0]!);
}

function followsFrom({ inputs }: Node, onHost: ReadonlySet<string>, { initializers }: Graph): boolean {
  return (
    inputs.some((input) => onHost.has(input)) &&
    inputs.every((input) => input === '' || onHost.has(input) || initializers.has(input))
  );
}

function isSmall(value: string, { types }: Graph): boolean {
  const dims = types.get(value)?.dims;
  if (!dims?.every((dim) => typeof dim === 'number')) return false;
  return dims.reduce<number>((product, dim) => product * (dim as number), 1) <= MAX_ELEMENTS;
}
