import { GraphBuilder } from '../builder.ts';
import { consumers, type Graph, opName } from '../graph.ts';
import { inferGraph } from '../infer/infer.ts';
import { replaceUses } from '../rewrite.ts';
import { sortNodes } from '../sort.ts';
import { lowerings } from './index.ts';
import { cannotLower } from './lowering.ts';

/**
 * Replaces every node that has a lowering by stock ops, so that patterns, passes and gradient rules meet one
 * spelling only. Values keep their names: an export refers to the user's file by them.
 *
 * @throws SesdError SESD_UNSUPPORTED_OP as the lowerings do.
 */
export function lowerNodes(graph: Graph): void {
  const lowered = graph.nodes.filter((node) => lowerings[opName(node)] !== undefined);
  if (lowered.length === 0) return;
  const builder = new GraphBuilder(graph, inferGraph(graph));
  const read = new Set([...consumers(graph).keys(), ...graph.outputs]);
  const gone = new Set(lowered);
  graph.nodes = graph.nodes.filter((node) => !gone.has(node));
  for (const node of lowered) {
    const first = graph.nodes.length;
    const values = lowerings[opName(node)]!(builder, node);
    const added = graph.nodes.slice(first);
    for (const [index, output] of node.outputs.entries()) {
      const value = values[index];
      if (value === undefined) {
        if (output && read.has(output))
          throw cannotLower(node, `has an output ${index} that is not provided`);
        continue;
      }
      if (!output) continue;
      const producer = added.find(({ outputs }) => outputs.includes(value));
      if (producer === undefined) {
        builder.op('Identity', [value], { name: output });
        continue;
      }
      producer.outputs = producer.outputs.map((name) => (name === value ? output : name));
      replaceUses(graph, value, output, added);
      const type = graph.types.get(value);
      if (type !== undefined) graph.types.set(output, type);
      graph.types.delete(value);
    }
  }
  sortNodes(graph);
}
