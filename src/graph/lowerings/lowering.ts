import { SesdError } from '../../errors.ts';
import type { GraphBuilder } from '../builder.ts';
import { type Node, opName } from '../graph.ts';

/**
 * Spells one op in stock ops of the canonical opset: appends nodes and returns the value of each output of `node`
 * that something may read, in their order. Initializers keep their names, since training writes them back to the
 * user's file: what is packed into one is taken apart by Split.
 *
 * @throws SesdError SESD_UNSUPPORTED_OP naming the node, for a use of the op that cannot be spelled.
 */
export type Lowering = (builder: GraphBuilder, node: Node) => readonly (string | undefined)[];

/** For a use of an op that has no spelling; `why` goes on after the node's name. */
export function cannotLower(node: Node, why: string): SesdError {
  return new SesdError('SESD_UNSUPPORTED_OP', `node '${node.name}' (${opName(node)}) ${why}`, {
    hint:
      node.domain === ''
        ? 'Export the model with opset 18.'
        : 'Train the model it was optimized from, as the exporter wrote it.',
  });
}
