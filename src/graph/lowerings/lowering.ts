import type { GraphBuilder } from '../builder.ts';
import type { Node } from '../graph.ts';

/**
 * Spells one op in stock ops of the canonical opset: appends nodes and returns the value of each output of `node`
 * that something may read, in their order. Initializers keep their names, since training writes them back to the
 * user's file: what is packed into one is taken apart by Split.
 *
 * @throws SesdError SESD_UNSUPPORTED_OP naming the node, for a use of the op that cannot be spelled.
 */
export type Lowering = (builder: GraphBuilder, node: Node) => readonly (string | undefined)[];
