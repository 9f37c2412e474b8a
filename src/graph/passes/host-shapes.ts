import type { Graph } from '../graph.ts';
import { serializeGraph } from '../serialize.ts';
import { shapeNodes } from './shape-nodes.ts';

/** A graph that computes small values from a batch's shape, for another graph that reads them. */
export interface HostShapes {
  model: Uint8Array;
  /** Inputs of the graph it was cut off. */
  feeds: string[];
  /** Inputs of that graph from now on. */
  outputs: string[];
}

/**
 * Cuts off what a graph computes of shapes, to be done on the host. ONNX Runtime places such nodes on the CPU, also in a
 * graph for a GPU, and then refuses the graph where nodes on the CPU are not allowed
 * (onnxruntime/core/framework/fallback_cpu_capability.cc). Shapes are taken from the graph's inputs: see hoistShapes.
 *
 * @param fed the graph's inputs that are on the host
 * @returns undefined when there is nothing to cut
 */
export function cutShapes(graph: Graph, fed: ReadonlySet<string>): HostShapes | undefined {
  const nodes = shapeNodes(graph, fed);
  const left = graph.nodes.filter((node) => !nodes.has(node));
  const read = new Set([...graph.outputs, ...left.flatMap(({ inputs }) => inputs)]);
  const outputs = [...nodes].flatMap((node) => node.outputs.filter((value) => read.has(value)));
  if (outputs.length === 0) return undefined;
  const feeds = graph.inputs.filter((name) => [...nodes].some(({ inputs }) => inputs.includes(name)));
  const model = serializeGraph({ ...graph, inputs: feeds, outputs });
  graph.nodes = left;
  graph.inputs = [...graph.inputs, ...outputs];
  return { model, feeds, outputs };
}
