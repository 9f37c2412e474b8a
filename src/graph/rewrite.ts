import { type Graph, type Node, producers } from './graph.ts';

/** Makes every reader of `from` (or just the given ones) read `to`; graph outputs of that name follow when all do. */
export function replaceUses(graph: Graph, from: string, to: string, readers?: readonly Node[]): void {
  for (const node of readers ?? graph.nodes) {
    if (node.outputs.includes(to)) continue;
    for (const [index, input] of node.inputs.entries()) if (input === from) node.inputs[index] = to;
  }
  if (!readers) graph.outputs = graph.outputs.map((output) => (output === from ? to : output));
}

/** Drops nodes whose results nothing reads, then initializers nothing reads. */
export function removeDeadNodes(graph: Graph): void {
  const byOutput = producers(graph);
  const live = new Set<Node>();
  const pending = [...graph.outputs];
  const read = new Set<string>();
  while (pending.length > 0) {
    const value = pending.pop()!;
    if (read.has(value)) continue;
    read.add(value);
    const node = byOutput.get(value);
    if (!node || live.has(node)) continue;
    live.add(node);
    pending.push(...node.inputs);
  }
  graph.nodes = graph.nodes.filter((node) => live.has(node));
  for (const name of graph.initializers.keys()) if (!read.has(name)) graph.initializers.delete(name);
}

/** A copy whose nodes, lists and maps can be changed freely; tensor bytes are shared. */
export function cloneGraph(graph: Graph): Graph {
  return {
    opset: graph.opset,
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
    initializers: new Map(graph.initializers),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: [...node.inputs], outputs: [...node.outputs] })),
    types: new Map(graph.types),
  };
}
