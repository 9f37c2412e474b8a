import { type GraphBuilder, int64Tensor } from '../builder.ts';
import { intAttribute, type Node, opName } from '../graph.ts';
import { removeDeadNodes } from '../rewrite.ts';
import { sortNodes } from '../sort.ts';
import { Narrowing } from './narrowing.ts';

/**
 * Where the head reads one token of each sequence, as [CLS], computes only that token in the last layer: its
 * query, its attention, its feed-forward part; keys and values are of all tokens. Every other state of the last
 * layer would be thrown away.
 *
 * @returns Whether anything became smaller; then types have to be inferred again.
 */
export function narrowTokens(builder: GraphBuilder): boolean {
  const { graph } = builder;
  const token = graph.nodes.map((node) => tokenRead(builder, node)).find((read) => read !== undefined);
  if (token === undefined) return false;
  const readers = new Narrowing(builder, {
    readBy: (node) => (tokenRead(builder, node) === token ? TOKENS : undefined),
    take: (value, axis) => builder.op('Gather', [value, builder.ints(token)], { attributes: { axis } }),
    length: 1,
  }).apply();
  for (const node of readers) {
    const { dims } = builder.typeOf(node.inputs[1]!)!;
    node.inputs[1] = builder.constant(int64Tensor([0], dims as number[]));
  }
  if (readers.length > 0) {
    sortNodes(graph);
    removeDeadNodes(graph);
  }
  return readers.length > 0;
}

const TOKENS = 1;

/** The position of the token axis of [batch, sequence, hidden] a Gather takes, if it takes one. */
function tokenRead(builder: GraphBuilder, node: Node): number | undefined {
  if (opName(node) !== 'Gather') return undefined;
  const rank = builder.typeOf(node.inputs[0]!)?.dims?.length;
  const positions = builder.elementsOf(node.inputs[1]!);
  const position = positions?.length === 1 ? positions[0] : undefined;
  const isToken = rank === 3 && intAttribute(node, 'axis', 0) === TOKENS;
  return isToken && typeof position === 'number' && position >= 0 ? position : undefined;
}
