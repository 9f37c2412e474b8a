import { elementwise } from '../graph/elementwise.ts';
import { elementSize, type Graph, type Node, opName, producers } from '../graph/graph.ts';

/** The backward half of a graph cut off its forward half. */
export interface Split {
  /** Nodes of the backward graph, recomputed forward nodes first. */
  nodes: Node[];
  /** Forward values the backward graph reads: kept between the two runs. */
  stash: string[];
}

/**
 * Ops that only look at their input differently, or repeat it: cheaper to run again than to keep a copy. So are Casts to a
 * wider type.
 */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Expand', 'Tile']);

/**
 * Cuts a graph whose first `forwardCount` nodes are the forward pass. A forward value that backward reads
 * is kept, unless it follows from the batch alone (masks, positions, shapes), is a view, or follows element by element, or in
 * another order, from what is kept anyway: then its nodes are run again, which costs less than its memory.
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
    if (node.outputs.some((output) => learned.has(output)) && !isView(node, graph)) {
      stash.add(value);
      return;
    }
    again.add(node);
    for (const input of node.inputs) visit(input);
  };
  for (const node of backward) for (const input of node.inputs) visit(input);
  // What follows from what backward has, in the order of the forward pass.
  const derived = new Map<string, Node>();
  const isThere = (value: string): boolean => {
    const node = byOutput.get(value);
    return (
      node === undefined || stash.has(value) || again.has(node) || derived.has(value) || !learned.has(value)
    );
  };
  const rerun = (value: string): void => {
    const node = derived.get(value);
    if (!learned.has(value)) visit(value);
    else if (node && !stash.has(value) && !again.has(node)) {
      again.add(node);
      for (const input of node.inputs) rerun(input);
    }
  };
  for (const node of forward) {
    const [value] = node.outputs as [string];
    const op = opName(node);
    const isCheap = elementwise.has(op) || op === 'Transpose' || isView(node, graph);
    if (!isCheap || !node.inputs.every(isThere)) continue;
    derived.set(value, node);
    if (stash.delete(value)) rerun(value);
  }
  return { nodes: [...forward.filter((node) => again.has(node)), ...backward], stash: [...stash] };
}

function isView(node: Node, { types }: Graph): boolean {
  if (opName(node) !== 'Cast') return views.has(opName(node));
  const [from, to] = [node.inputs[0]!, node.outputs[0]!].map((value) => types.get(value)?.dtype);
  return from !== undefined && to !== undefined && elementSize[from] < elementSize[to];
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
