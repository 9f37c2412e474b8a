import { type Graph, type Node, opName } from './graph.ts';
import { elementsOf, inferNode, newInference } from './infer/infer.ts';
import { removeDeadNodes } from './rewrite.ts';

/**
 * Takes the branch of every If whose condition is known before a run, as TorchScript's squeeze has them: whether
 * a dim is 1 follows from the shapes. Import has put both branches into the graph, before a `sesd::If` that chooses
 * between their results; the other branch goes. An If whose condition depends on the input stays.
 */
export function resolveBranches(graph: Graph): void {
  if (!graph.nodes.some((node) => opName(node) === 'sesd::If')) return;
  const state = newInference();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const condition =
      opName(node) === 'sesd::If' ? elementsOf(node.inputs[0]!, graph, state)?.[0] : undefined;
    const taken = typeof condition === 'number' ? chosen(node, condition !== 0) : [node];
    for (const each of taken) inferNode(each, graph, state);
    nodes.push(...taken);
  }
  graph.nodes = nodes;
  removeDeadNodes(graph);
}

function chosen({ name, inputs, outputs }: Node, first: boolean): Node[] {
  return outputs.map((output, index) => ({
    ...{ name: `${name}/${index}`, op: 'Identity', domain: '', attributes: new Map() },
    ...{ inputs: [inputs[1 + index + (first ? 0 : outputs.length)]!], outputs: [output] },
  }));
}
