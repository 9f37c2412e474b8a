import { GraphBuilder } from './builder.ts';
import { type Graph, intAttribute, type Node, opName } from './graph.ts';
import { newInference } from './infer/infer.ts';
import { removeDeadNodes } from './rewrite.ts';

/**
 * Does without sequences of tensors: what SequenceAt takes out of one that was split or put together, at a place known
 * before a run, is a slice of what was split, or the value itself. torch.export writes chunk and split so. A
 * SequenceAt of anything else stays.
 */
export function resolveSequences(graph: Graph): void {
  if (!graph.nodes.some((node) => opName(node) === 'SequenceAt')) return;
  const builder = new GraphBuilder(graph, newInference());
  const makers = new Map<string, Node>();
  const { nodes } = graph;
  graph.nodes = [];
  for (const node of nodes) {
    if (opName(node) === 'SplitToSequence' || opName(node) === 'SequenceConstruct') {
      makers.set(node.outputs[0]!, node);
    }
    const maker = opName(node) === 'SequenceAt' ? makers.get(node.inputs[0]!) : undefined;
    if (maker === undefined || !takeElement(builder, maker, node)) builder.append(node);
  }
  removeDeadNodes(graph);
}

/** @returns whether it is known what `at` takes of what `maker` makes */
function takeElement(builder: GraphBuilder, maker: Node, at: Node): boolean {
  const name = at.outputs[0]!;
  const position = builder.elementsOf(at.inputs[1]!)?.[0];
  if (typeof position !== 'number') return false;
  if (opName(maker) === 'SequenceConstruct') {
    const value = maker.inputs.at(position);
    if (value !== undefined) builder.op('Identity', [value], { name });
    return value !== undefined;
  }
  const axis = intAttribute(maker, 'axis', 0);
  const range = rangeOf(builder, maker, axis, position);
  if (range === undefined) return false;
  const input = maker.inputs[0]!;
  const slice = [input, builder.ints(range.start), builder.ints(range.end), builder.ints(axis)];
  // of a split by ones, the dim may go
  const keeps = maker.inputs[1] || intAttribute(maker, 'keepdims', 1) !== 0;
  if (keeps) builder.op('Slice', slice, { name });
  else builder.op('Squeeze', [builder.op('Slice', slice), builder.ints(axis)], { name });
  return true;
}

/** Where the element at a position, which counts from the end when negative, lies on the axis that is split. */
function rangeOf(
  builder: GraphBuilder,
  { inputs }: Node,
  axis: number,
  position: number,
): { start: number; end: number } | undefined {
  const split = inputs[1];
  const sizes = split ? builder.elementsOf(split) : [1];
  if (!sizes?.every((size) => typeof size === 'number')) return undefined;
  if (split && builder.typeOf(split)?.dims?.length === 1) {
    const index = position < 0 ? position + sizes.length : position;
    if (index < 0 || index >= sizes.length) return undefined;
    const start = sizes.slice(0, index).reduce((sum, size) => sum + size, 0);
    return { start, end: start + sizes[index]! };
  }
  // pieces of one size, the last of which may be smaller
  const size = sizes[0]!;
  const length = builder.typeOf(inputs[0]!)?.dims?.at(axis);
  const count = typeof length === 'number' ? Math.ceil(length / size) : undefined;
  if (position < 0 && count === undefined) return undefined;
  const index = position < 0 ? position + count! : position;
  if (!(size > 0 && index >= 0 && index < (count ?? Number.POSITIVE_INFINITY))) return undefined;
  return { start: index * size, end: (index + 1) * size };
}
