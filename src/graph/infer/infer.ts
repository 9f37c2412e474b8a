import type { Dim } from '../dims.ts';
import { type Graph, type Node, opName } from '../graph.ts';
import { checkAxes } from './check-axes.ts';
import { NodeInference, smallIntegers } from './node-inference.ts';
import { rules } from './rules.ts';
import { Symbols } from './symbols.ts';

/** What inference knows beyond types: the elements of small integer tensors that shape other tensors. */
export interface InferenceState {
  /**
   * Elements of small integer and bool tensors in row-major order (bools as 0 and 1), by value name. An
   * element may be symbolic; one with `~` in it could be zero or negative.
   */
  shapes: Map<string, readonly Dim[]>;
  /** Names the dims and elements nothing is known of, and gives equal expressions equal names. */
  symbols: Symbols;
}

export function newInference(): InferenceState {
  return { shapes: new Map(), symbols: new Symbols() };
}

/**
 * Sets the types (and shape elements) of the node's outputs in `graph.types`. Never throws on an unknown op:
 * its outputs keep the types they have, or get none. Symbolic dims are taken to be at least 1, and a Slice
 * that ends at a symbolic position to end within its input.
 *
 * @throws SesdError SESD_BAD_MODEL when the node names axes its input does not have
 */
export function inferNode(node: Node, graph: Graph, state: InferenceState): void {
  const at = new NodeInference(node, graph, state);
  checkAxes(at);
  rules[opName(node)]?.(at);
}

/** Infers every value of the graph in order. */
export function inferGraph(graph: Graph, state: InferenceState = newInference()): InferenceState {
  for (const { dims } of graph.types.values()) state.symbols.avoid(dims ?? []);
  for (const node of graph.nodes) inferNode(node, graph, state);
  return state;
}

/** Elements of a small integer or bool tensor as far as they are known before a run, in row-major order. */
export function elementsOf(name: string, graph: Graph, state: InferenceState): readonly Dim[] | undefined {
  const known = state.shapes.get(name);
  if (known) return known;
  const tensor = graph.initializers.get(name);
  const elements = tensor && smallIntegers(tensor);
  if (elements) state.shapes.set(name, elements);
  return elements;
}
