import { SesdError } from '../errors.ts';
import { consumers, type Graph, type Node, opName } from './graph.ts';

/**
 * Puts the nodes in topological order, keeping theirs where it is one already.
 *
 * @throws SesdError SESD_BAD_MODEL when two producers give a value the same name, a value has none, or the
 *   graph has a cycle.
 */
export function sortNodes(graph: Graph): void {
  const producer = uniqueProducers(graph);
  const waiting = new Map<Node, number>();
  for (const node of graph.nodes) {
    let missing = 0;
    for (const input of new Set(node.inputs)) {
      if (input === '') continue;
      const source = producer.get(input);
      if (source === undefined) {
        throw new SesdError(
          'SESD_BAD_MODEL',
          `node '${node.name}' (${opName(node)}) reads '${input}', which no node, input or initializer gives`,
          { hint: 'The file is damaged or was cut out of a larger graph; export it again.' },
        );
      }
      if (source !== 'given') missing++;
    }
    waiting.set(node, missing);
  }

  const readers = consumers(graph);
  const sorted: Node[] = [];
  const passed = new Set<Node>();
  const emit = (first: Node): void => {
    const ready = [first];
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      sorted.push(node);
      waiting.delete(node);
      for (const output of node.outputs) {
        if (output === '') continue;
        for (const reader of readers.get(output) ?? []) {
          const left = waiting.get(reader)! - 1;
          waiting.set(reader, left);
          // A reader that stood before this node has missed its turn.
          if (left === 0 && passed.has(reader)) ready.push(reader);
        }
      }
    }
  };
  for (const node of graph.nodes) {
    if (waiting.get(node) === 0) emit(node);
    else passed.add(node);
  }
  if (waiting.size > 0) {
    const node = onCycle(waiting, producer);
    throw new SesdError(
      'SESD_BAD_MODEL',
      `the graph has a cycle: node '${node.name}' (${opName(node)}) depends on its own output`,
    );
  }
  graph.nodes = sorted;
}

/** A node of a cycle, found by walking backwards from a node that could not be placed. */
function onCycle(waiting: ReadonlyMap<Node, number>, producer: ReadonlyMap<string, Node | 'given'>): Node {
  const seen = new Set<Node>();
  let [node] = waiting.keys();
  while (!seen.has(node!)) {
    seen.add(node!);
    const sources = node!.inputs.map((input) => producer.get(input));
    node = sources.find((source): source is Node => typeof source === 'object' && waiting.has(source));
  }
  return node!;
}

/** The node that gives each value, or 'given' for inputs and initializers. */
function uniqueProducers(graph: Graph): Map<string, Node | 'given'> {
  const producer = new Map<string, Node | 'given'>();
  const add = (name: string, by: Node | 'given', what: string): void => {
    if (producer.has(name)) {
      throw new SesdError('SESD_BAD_MODEL', `two producers of the value '${name}': ${what} is the second`);
    }
    producer.set(name, by);
  };
  for (const name of graph.inputs) add(name, 'given', 'a graph input');
  for (const name of graph.initializers.keys()) add(name, 'given', 'an initializer');
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output !== '') add(output, node, `an output of node '${node.name}' (${opName(node)})`);
    }
  }
  return producer;
}
