import type { Dim } from '../dims.ts';
import type { Graph, Node } from '../graph.ts';

/** What inference knows beyond types: the elements of small integer tensors that shape other tensors. */
export interface InferenceState {
  /** Elements of int64/int32 scalars and vectors, by value name; a Dim may be symbolic. */
  shapes: Map<string, readonly Dim[]>;
  /** For symbols of dims nothing is known of. */
  nextUnknown: number;
}

export function newInference(): InferenceState {
  return { shapes: new Map(), nextUnknown: 0 };
}

/** Sets the types (and shape elements) of the node's outputs in `graph.types`. Never throws on an unknown op. */
export function inferNode(_node: Node, _graph: Graph, _state: InferenceState): void {}

/** Infers every value of the graph in order. */
export function inferGraph(graph: Graph, state: InferenceState = newInference()): InferenceState {
  for (const node of graph.nodes) inferNode(node, graph, state);
  return state;
}
