import type { GraphBuilder } from '../graph/builder.ts';
import type { Node, ValueType } from '../graph/graph.ts';

/** What a gradient rule sees of the node it differentiates. */
export interface RuleContext {
  readonly node: Node;
  readonly builder: GraphBuilder;
  /** Gradient of each output of the node; undefined where none reaches it. At least one is defined. */
  readonly outputGradients: readonly (string | undefined)[];
  /** Whether the gradient with respect to input `index` is asked for. */
  needs(index: number): boolean;
  /** Type of a value of the graph. */
  type(name: string): ValueType;
  /** Names the op and the node, for a rule that cannot go on: throws SESD_NO_GRADIENT_RULE. */
  unsupported(reason: string): never;
}

/**
 * The gradient of one op: appends nodes that compute the gradients of its inputs and returns their names,
 * one per input, undefined where none is needed or the op is flat there. A gradient may have the shape
 * broadcasting gave the input: the walker sums it back over the broadcast axes.
 */
export type GradientRule = (context: RuleContext) => readonly (string | undefined)[];
