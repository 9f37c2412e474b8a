import { type Graph, type Node, opName, producers } from '../graph/graph.ts';

/** The backward half of a graph cut off its forward half. */
export interface Split {
  /** Nodes of the backward graph, recomputed forward nodes first. */
  nodes: Node[];
  /** Forward values the backward graph reads: kept between the two runs. */
  stash: string[];
}

/** Ops that only look at their input differently: cheaper to run again than to keep a copy. */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);

/**
 * Cuts a graph whose first `forwardCount` nodes are the forward pass. A forward value that backward reads
 * is kept, unless it follows from the batch alone (masks, positions, shapes) or is a view: then its nodes
 * are run again, which costs less than its memory.
 */
export function splitBackward(graph: Graph, forwardCount: number, parameters: ReadonlySet<string>): Split {
  const forward = graph.nodes.slice(0, forwardCount);
  const backward = graph.nodes.slice(forwardCount);
  const byOutput = producers({ ...graph, nodes: forward });
  const learned = dependents(forward, parameters);
  const stash = new Set<string>();
  const again = new Set<Node>();

  const visit = (value: string): void => {
    const node = byOutput.get(value);
    if (!node || again.has(node)) return;
    if (node.outputs.some((output) => learned.has(output)) && !views.has(opName(node))) {
      stash.add(value);
      return;
    }
    again.add(node);
    for (const input of node.inputs) visit(input);
  };
  for (const node of backward) for (const input of node.inputs) visit(input);
  return { nodes: [...forward.filter((node) => again.has(node)), ...backward], stash: [...stash] };
}

/** Every value that depends on a parameter. */
function dependents(nodes: readonly Node[], parameters: ReadonlySet<string>): Set<string> {
  const reached = new Set(parameters);
  for (const node of nodes) {
    if (node.inputs.some((input) => reached.has(input)))
      for (const output of node.outputs) reached.add(output);
  }
  return reached;
}
