import type { GraphBuilder } from '../builder.ts';
import type { Node } from '../graph.ts';
import { removeDeadNodes } from '../rewrite.ts';
import { sortNodes } from '../sort.ts';

/** Takes `node` out and lets `emit` append nodes that make its first output under the same name. */
export function replaceNode(builder: GraphBuilder, node: Node, emit: (output: string) => void): void {
  const { graph } = builder;
  graph.nodes.splice(graph.nodes.indexOf(node), 1);
  emit(node.outputs[0]!);
}

/** What every pass ends with: nodes appended at the end move to their place, what they replaced goes. */
export function settle(builder: GraphBuilder): void {
  sortNodes(builder.graph);
  removeDeadNodes(builder.graph);
}
