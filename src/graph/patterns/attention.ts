import type { Dim } from '../dims.ts';
import { intAttribute, intsAttribute, isFloat, type Node, opName } from '../graph.ts';
import type { GraphView } from '../view.ts';

/** softmax(scale·q·kᵀ + mask + bias)·v over heads, from the projections to the flat context. */
export interface AttentionMatch {
  query: Projection;
  key: Projection;
  value: Projection;
  heads: number;
  scale: number;
  mask: AttentionMask | undefined;
  bias: AttentionBias | undefined;
  /** The node that makes the context, [batch, sequence, heads × head size] or with the first two axes as one. */
  root: Node;
  /** A `sesd::Dropout` on the probabilities. */
  dropout: Node | undefined;
}

export interface Projection {
  /** [batch, sequence, heads × head size]; with `order`, four axes. */
  value: string;
  /** Which axis of `value` is batch, sequence, head and place within the head. */
  order?: readonly number[];
}

export type AttentionMask =
  /** Added to the scores. */
  | { kind: 'additive'; value: string }
  /** Scores are replaced by `fill` where the condition says so; without it, probabilities are 0 there, in any row. */
  | { kind: 'where'; condition: string; keepIf: boolean; fill: string | undefined };

/** What is added to the scores from tables of the file: by relative position, as MPNet and DeBERTa have it. */
export interface AttentionBias {
  value: string;
  /** The Reshape of DeBERTa's scores to four axes, where batch and heads of the bias are one. */
  split: Node | undefined;
}

/** The probabilities of every attention in the graph: what BERT's attention dropout acts on. */
export interface ProbabilitiesMatch {
  softmax: Node;
  /** Softmax's output, or that of the guard against rows without an unmasked key. */
  probabilities: string;
  /** The condition where the guard puts zeros by a mask, as older DeBERTas' does. */
  zeroIf: string | undefined;
  /** A `sesd::Dropout` on the probabilities. */
  dropout: Node | undefined;
  /** The product with the values. */
  product: Node;
}

/** Finds Softmax over the last of four axes whose result is multiplied with another matrix. */
export function findAttentionProbabilities(view: GraphView): ProbabilitiesMatch[] {
  const matches: ProbabilitiesMatch[] = [];
  for (const softmax of view.graph.nodes) {
    if (softmax.op !== 'Softmax') continue;
    const axis = intAttribute(softmax, 'axis', -1);
    const rank = view.rank(softmax.outputs[0]!);
    if (rank === undefined || rank < 3 || (axis !== -1 && axis !== rank - 1)) continue;
    const { probabilities, zeroIf } = skipGuard(view, softmax.outputs[0]!);
    const user = view.soleUser(probabilities);
    const dropout = user?.op === 'Dropout' && user.domain === 'sesd' ? user : undefined;
    const kept = dropout ? dropout.outputs[0]! : probabilities;
    // DeBERTa takes batch and heads together before the product
    const reshape = view.soleUser(kept);
    const factor = reshape?.op === 'Reshape' ? reshape.outputs[0]! : kept;
    const product = view.soleUser(factor);
    if (product?.op === 'MatMul' && product.inputs[0] === factor) {
      matches.push({ softmax, probabilities, zeroIf, dropout, product });
    }
  }
  return matches;
}

/**
 * What Where(condition, 0, p) makes of probabilities: where the condition is IsNaN(p), those of every row with an unmasked
 * key are left as they are.
 */
function skipGuard(view: GraphView, value: string): Pick<ProbabilitiesMatch, 'probabilities' | 'zeroIf'> {
  const guard = view
    .users(value)
    .find((node) => node.op === 'Where' && node.inputs[2] === value && view.scalar(node.inputs[1]) === 0);
  if (!guard) return { probabilities: value, zeroIf: undefined };
  const [condition] = guard.inputs;
  const againstNaN = view.producerOf(condition, 'IsNaN')?.inputs[0] === value;
  return { probabilities: guard.outputs[0]!, zeroIf: againstNaN ? undefined : condition };
}

export function findAttentions(view: GraphView): AttentionMatch[] {
  const matches: AttentionMatch[] = [];
  for (const found of findAttentionProbabilities(view)) {
    const match = matchAttention(view, found);
    if (match) matches.push(match);
  }
  return matches;
}

/** Whether there is attention as BERT's, whose scores have no term by relative position. */
export function hasUnbiasedAttention(view: GraphView): boolean {
  return findAttentions(view).some(({ bias }) => bias === undefined);
}

function matchAttention(view: GraphView, found: ProbabilitiesMatch): AttentionMatch | undefined {
  const value = traceHeads(view, found.product.inputs[1]!, rowsFirst);
  if (value?.scale !== 1) return undefined;

  const { scores, scale: outer, mask: filled, bias } = peelAddends(view, found.softmax.inputs[0]!);
  const mask = found.zeroIf === undefined ? filled : zeroing(filled, found.zeroIf);
  if (found.zeroIf !== undefined && !mask) return undefined;
  const product = view.producerOf(scores, 'MatMul');
  if (!product) return undefined;
  const query = traceHeads(view, product.inputs[0]!, rowsFirst);
  const key = traceHeads(view, product.inputs[1]!, columnsFirst);
  if (!query || query.heads !== key?.heads || query.heads !== value.heads) return undefined;
  const root = flatContext(view, found.product.outputs[0]!, query, value);
  if (!root) return undefined;
  return {
    ...{ query, key, value, mask, bias, root },
    heads: query.heads,
    scale: outer * query.scale * key.scale,
    dropout: found.dropout,
  };
}

/** A mask whose scores are filled where the probabilities become 0 as well. */
function zeroing(mask: AttentionMask | undefined, condition: string): AttentionMask | undefined {
  const same = mask?.kind === 'where' && mask.condition === condition && !mask.keepIf;
  return same ? { ...mask, fill: undefined } : undefined;
}

/** Whether a value depends on a table or matrix of the file, as a bias by relative position does. */
function isLearned(view: GraphView, value: string): boolean {
  return [...view.ancestors(value)].some((name) => {
    const tensor = view.graph.initializers.get(name);
    return tensor && isFloat(tensor.dtype) && tensor.dims.some((dim) => dim !== 1);
  });
}

/** Walks from Softmax's input down to q·kᵀ, collecting mask, bias and constant factors. */
function peelAddends(
  view: GraphView,
  input: string,
): { scores: string; scale: number } & Pick<AttentionMatch, 'mask' | 'bias'> {
  let scores = input;
  let scale = 1;
  let mask: AttentionMask | undefined;
  let bias: AttentionBias | undefined;
  let split: Node | undefined;
  for (;;) {
    const node = view.producer(scores);
    if (!node) break;
    const factor = scalarFactor(view, node);
    if (factor) {
      scores = factor.source;
      scale *= factor.scale;
    } else if (node.op === 'Add' && scale === 1) {
      const at = node.inputs.findIndex((name) => descendsToScores(view, name));
      const value = node.inputs[1 - at];
      if (at < 0 || value === undefined) break;
      if (isLearned(view, value)) {
        if (bias) break;
        bias = { value, split };
      } else {
        if (mask || split) break;
        mask = { kind: 'additive', value };
      }
      scores = node.inputs[at]!;
    } else if (node.op === 'Where' && !mask && scale === 1) {
      const at = node.inputs.findIndex((name, index) => index > 0 && descendsToScores(view, name));
      if (at < 0) break;
      mask = { kind: 'where', condition: node.inputs[0]!, keepIf: at === 1, fill: node.inputs[3 - at]! };
      scores = node.inputs[at]!;
    } else if (splitsFirstAxis(view, node) && !split) {
      split = node;
      scores = node.inputs[0]!;
    } else break;
  }
  return { scores, scale, mask, bias };
}

/** Whether a value is a product, maybe scaled and with one more addend. */
function descendsToScores(view: GraphView, value: string, addends = 1): boolean {
  const node = view.producer(value);
  if (!node) return false;
  if (node.op === 'MatMul') return true;
  const factor = scalarFactor(view, node);
  if (factor) return descendsToScores(view, factor.source, addends);
  if (splitsFirstAxis(view, node)) return descendsToScores(view, node.inputs[0]!, addends);
  const adds = node.op === 'Add' && addends > 0;
  return adds && node.inputs.some((name) => descendsToScores(view, name, addends - 1));
}

/** x·c or x/c with a constant c. */
function scalarFactor(view: GraphView, node: Node): { source: string; scale: number } | undefined {
  if (node.op !== 'Mul' && node.op !== 'Div') return undefined;
  const operand = view.scalarOperand(node);
  if (!operand || (node.op === 'Div' && operand.index === 0)) return undefined;
  return { source: operand.other, scale: node.op === 'Div' ? 1 / operand.value : operand.value };
}

/** Axes of batch, sequence, head and place within the head in a matrix of heads, and in one transposed. */
const rowsFirst = [0, 2, 1, 3];
const columnsFirst = [0, 3, 1, 2];

interface Heads extends Projection {
  /** Batch and sequence. */
  rows: readonly [Dim, Dim];
  heads: number;
  size: number;
  scale: number;
}

/** Walks back from a matrix of heads through transposes and constant factors to the projection. */
function traceHeads(view: GraphView, matrix: string, layout: readonly number[]): Heads | undefined {
  let scale = 1;
  let value = matrix;
  let order = layout;
  for (;;) {
    const node = view.producer(value);
    const source = node?.inputs[0];
    // of batch and heads as one axis
    if (view.rank(value) === 3) {
      const factor = node && scalarFactor(view, node);
      if (factor) {
        value = factor.source;
        scale *= factor.scale;
      } else if (node && opName(node) === 'Transpose' && intsAttribute(node, 'perm')?.join() === '0,2,1') {
        order = order.map((axis) => [0, 1, 3, 2][axis]!);
        value = source!;
      } else if (node && mergesFirstAxes(view, node)) value = source!;
      else return undefined;
      continue;
    }
    const factor = node && scalarFactor(view, node);
    const permutation = node && opName(node) === 'Transpose' ? intsAttribute(node, 'perm') : undefined;
    const swapped = node?.op === 'Reshape' ? swapThroughThreeAxes(view, node) : undefined;
    if (factor) {
      value = factor.source;
      scale *= factor.scale;
    } else if (permutation?.length === 4) {
      order = order.map((axis) => permutation[axis]!);
      value = source!;
    } else if (swapped) {
      order = order.map((axis) => [0, 1, 3, 2][axis]!);
      value = swapped;
    } else break;
  }
  const dims = view.graph.types.get(value)?.dims;
  const [heads, size] = [dims?.[order[2]!], dims?.[order[3]!]];
  if (dims?.length !== 4 || typeof heads !== 'number' || typeof size !== 'number') return undefined;
  const found = { rows: [dims[order[0]!]!, dims[order[1]!]!] as const, heads, size, scale };
  const split = view.producerOf(value, 'Reshape');
  const inOrder = order.every((axis, index) => axis === index);
  if (split && inOrder && splitsLastAxis(view, split)) return { ...found, value: split.inputs[0]! };
  return { ...found, value, order };
}

/** Reshape(Transpose(Reshape(x, 3 axes), 0 2 1), 4 axes): the last two axes swapped by way of a 3-D view. */
function swapThroughThreeAxes(view: GraphView, reshape: Node): string | undefined {
  const transpose = view.producerOf(reshape.inputs[0], 'Transpose');
  if (!transpose || intsAttribute(transpose, 'perm')?.join() !== '0,2,1') return undefined;
  const flatten = view.producerOf(transpose.inputs[0], 'Reshape');
  const before = flatten && view.graph.types.get(flatten.inputs[0]!)?.dims;
  const after = view.graph.types.get(reshape.outputs[0]!)?.dims;
  if (before?.length !== 4 || after?.length !== 4) return undefined;
  const swapped: Dim[] = [before[0]!, before[1]!, before[3]!, before[2]!];
  return swapped.every((dim, axis) => dim === after[axis]) ? flatten!.inputs[0] : undefined;
}

/** Whether the node makes [b, n, …] of [b × n, …]. */
function splitsFirstAxis(view: GraphView, node: Node): boolean {
  const [from, to] = [node.inputs[0]!, node.outputs[0]!].map((name) => view.graph.types.get(name)?.dims);
  const apart = from?.length === 3 && to?.length === 4 && typeof to[1] === 'number';
  return opName(node) === 'Reshape' && apart && from[1] === to[2] && from[2] === to[3];
}

/** Whether the node makes [b × n, …] of [b, n, …]. */
function mergesFirstAxes(view: GraphView, node: Node): boolean {
  const [from, to] = [node.inputs[0]!, node.outputs[0]!].map((name) => view.graph.types.get(name)?.dims);
  const joined = from?.length === 4 && to?.length === 3 && typeof from[1] === 'number';
  return opName(node) === 'Reshape' && joined && from[2] === to[1] && from[3] === to[2];
}

/** Whether the Reshape is [b, s, h] → [b, s, n, d]. */
function splitsLastAxis(view: GraphView, reshape: Node): boolean {
  const from = view.graph.types.get(reshape.inputs[0]!)?.dims;
  const to = view.graph.types.get(reshape.outputs[0]!)?.dims;
  return from?.length === 3 && to?.length === 4 && from[0] === to[0] && from[1] === to[1];
}

/** The node that joins the heads: Transpose 0 2 1 3, then this Reshape. */
function flatContext(view: GraphView, product: string, query: Heads, value: Heads): Node | undefined {
  const split = view.soleUser(product);
  const context = split && splitsFirstAxis(view, split) ? split.outputs[0]! : product;
  const transpose = view.soleUser(context);
  if (transpose?.op !== 'Transpose' || intsAttribute(transpose, 'perm')?.join() !== '0,2,1,3')
    return undefined;
  const reshape = view.soleUser(transpose.outputs[0]!);
  const dims = reshape?.op === 'Reshape' ? view.graph.types.get(reshape.outputs[0]!)?.dims : undefined;
  // The last of three axes follows from the first two: where a mask's dims are unknown, so is it.
  const joins =
    dims?.length === 3
      ? dims[0] === query.rows[0] && dims[1] === query.rows[1]
      : dims?.length === 2 && dims[1] === value.heads * value.size;
  return joins ? reshape : undefined;
}
