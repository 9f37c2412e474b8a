import type { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dims.ts';
import type { DataType, Node } from '../graph/graph.ts';
import type { ShapeEmitter } from './shape-emitter.ts';

/** What a gradient rule sees of the node it differentiates. */
export interface RuleContext {
  readonly node: Node;
  readonly builder: GraphBuilder;
  /** Makes run-time shapes, or constants where they are known. */
  readonly shapes: ShapeEmitter;
  /** Whether to emit the fused gradient ops of the `sesd` domain where there is one. */
  readonly fused: boolean;
  /** Gradient of each output of the node; undefined where none reaches it. At least one is defined. */
  readonly outputGradients: readonly (string | undefined)[];
  /** The gradient of output 0, for ops whose other outputs carry none. */
  readonly outputGradient: string;
  /** Whether the gradient with respect to input `index` is asked for. */
  needs(index: number): boolean;
  /** Name of an input; '' when an optional one is absent. */
  input(index: number): string;
  /** Name of an output; an optional one is asked of the forward node when it was not there. */
  output(index: number): string;
  /** The forward node that makes a value. */
  producer(name: string): Node | undefined;
  /** The forward nodes that read a value. */
  users(name: string): readonly Node[];
  dtype(name: string): DataType;
  /** Undefined when the rank is unknown. */
  dims(name: string): readonly Dim[] | undefined;
  /** The rank of a value; a rule that cannot do without it fails through `unsupported` when it is unknown. */
  rank(name: string): number;
  /** The value of a constant float or integer scalar (any tensor of one element). */
  constantScalar(name: string): number | undefined;
  /** The elements of a constant integer vector. */
  constantInts(name: string): number[] | undefined;
  /** A scalar constant of the element type of a value, the node's first input unless given. */
  scalar(value: number, like?: string): string;
  /** Names the op and the node, for a rule that cannot go on: throws SESD_NO_GRADIENT_RULE. */
  unsupported(reason: string): never;
}

/**
 * A gradient: the name of a value, of the input's own shape or of the shape broadcasting gave the input; or
 * `{ broadcast: name }` for one that is constant along axes, with size 1 there: it is expanded only when
 * nothing else does it.
 */
export type Gradient = string | { readonly broadcast: string };

/**
 * The gradient of one op: appends nodes that compute the gradients of its inputs and returns them, one per
 * input, undefined where none is needed or the op is flat there. A gradient may have the shape broadcasting
 * gave the input: the walker sums it back over the broadcast axes.
 */
export type GradientRule = (context: RuleContext) => readonly (Gradient | undefined)[];
