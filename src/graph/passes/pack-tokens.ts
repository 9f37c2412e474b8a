import type { GraphBuilder } from '../builder.ts';
import type { Dim } from '../dims.ts';
import { elementwise } from '../elementwise.ts';
import { intAttribute, type Node, opName } from '../graph.ts';
import { replaceUses } from '../rewrite.ts';
import { settle } from './replace-node.ts';

/** Graph input int64 [1, tokens]: which rows of [batch × sequence] are tokens, not padding. */
export const TOKEN_ROWS = 'sesd/token_rows';
/** Graph input int64 [batch, 1]: the place in that list of each sequence's first token. */
export const FIRST_TOKENS = 'sesd/first_tokens';

/** Graph input int64 [batch, sequence]: the place in that list of each token; of padding, any. */
export const PADDED_TOKENS = 'sesd/padded_tokens';

export interface Packing {
  /** The states [batch, sequence, hidden] from which on padding is left out: the embeddings. */
  states: string;
  /** Masks that only keep attention off padding, which then do nothing. */
  masks: ReadonlySet<string>;
  /** Output of a node to which the states of padding are nothing, as to a mean over tokens. */
  pooled: string | undefined;
  /** Dims of the batch. */
  dims: { rows: Dim; length: Dim };
}

/**
 * Leaves padding out of a fused graph: what is computed for each token is computed for the tokens alone,
 * [1, tokens, hidden] with the sequences one after the other, from the embeddings to where the head reads the first token of
 * each, or their mean. `sesd::Attention` is told where sequences begin. The same logits and gradients come out.
 *
 * Nothing is changed where anything else reads states of tokens.
 *
 * @returns Whether padding is left out; then types have to be inferred again.
 */
export function packTokens(builder: GraphBuilder, packing: Packing): boolean {
  const plan = findTokens(builder, packing);
  if (!plan) return false;
  const { graph } = builder;
  const { rows, length } = packing.dims;
  graph.inputs.push(TOKEN_ROWS, FIRST_TOKENS, PADDED_TOKENS);
  graph.types.set(TOKEN_ROWS, { dtype: 'int64', dims: [1, 'tokens'] });
  graph.types.set(FIRST_TOKENS, { dtype: 'int64', dims: [rows, 1] });
  graph.types.set(PADDED_TOKENS, { dtype: 'int64', dims: [rows, length] });
  const readers = graph.nodes.filter((node) => node.inputs.includes(packing.states));
  replaceUses(graph, packing.states, gatherRows(builder, packing.states, TOKEN_ROWS), readers);
  for (const { inputs } of plan.attentions) {
    inputs[MASK] = '';
    inputs[FIRSTS] = FIRST_TOKENS;
  }
  for (const node of plan.reshapes) {
    const { dims } = builder.typeOf(node.outputs[0]!)!;
    node.inputs[1] = builder.ints(...(dims!.length === 2 ? [-1] : [1, -1]), ...sizesOf(dims)!);
    node.attributes = new Map(); // without allowzero, whatever the old target needed
  }
  for (const node of plan.heads) {
    const scalar = builder.typeOf(node.inputs[1]!)?.dims?.length === 0;
    const firsts = scalar ? builder.op('Reshape', [FIRST_TOKENS, builder.ints(-1)]) : FIRST_TOKENS;
    replaceUses(graph, node.outputs[0]!, gatherRows(builder, node.inputs[0]!, firsts));
  }
  for (const { node, states } of plan.means)
    replaceUses(graph, states, gatherRows(builder, states, PADDED_TOKENS), [node]);
  settle(builder);
  return true;
}

/** Places of mask, firsts and bias among the inputs of sesd::Attention. */
const MASK = 3;
const FIRSTS = 5;
const BIAS = 6;

/** Rows of [a, b, hidden] as of [a × b, hidden]. */
function gatherRows(builder: GraphBuilder, value: string, rows: string): string {
  const hidden = builder.typeOf(value)!.dims!.at(-1) as number;
  return builder.op('Gather', [builder.op('Reshape', [value, builder.ints(-1, hidden)]), rows]);
}

interface Tokens {
  attentions: Node[];
  /** Nodes that only change how the numbers of each token are laid out. */
  reshapes: Node[];
  /** Nodes that take the first token of each sequence. */
  heads: Node[];
  /** Nodes that take all of them, padded. */
  means: { node: Node; states: string }[];
}

/** Follows the states of tokens to their readers; undefined where one is not known to treat each token by itself. */
function findTokens(builder: GraphBuilder, { states, masks, pooled }: Packing): Tokens | undefined {
  const { graph } = builder;
  const found: Tokens = { attentions: [], reshapes: [], heads: [], means: [] };
  const tokens = new Set([states]);
  for (const node of graph.nodes) {
    const reads = node.inputs.map((input) => tokens.has(input));
    if (!reads.includes(true)) continue;
    if (opName(node) === 'sesd::Attention') {
      const mask = node.inputs[MASK];
      if (!reads[1] || !reads[2] || reads[BIAS] || !mask || !masks.has(mask)) return undefined;
      found.attentions.push(node);
      if (!reads[0]) continue;
    } else if (readsFirstToken(builder, node)) {
      found.heads.push(node);
      continue;
    } else if (node.outputs[0] === pooled) {
      found.means.push({ node, states: node.inputs[reads.indexOf(true)]! });
      continue;
    } else if (opName(node) === 'Reshape') {
      if (!keepsTokensApart(builder, node)) return undefined;
      found.reshapes.push(node);
    } else if (!isPerToken(builder, node, reads)) return undefined;
    for (const output of node.outputs) tokens.add(output);
  }
  const complete = found.attentions.length > 0 && !graph.outputs.some((output) => tokens.has(output));
  return complete ? found : undefined;
}

function readsFirstToken(builder: GraphBuilder, node: Node): boolean {
  if (opName(node) !== 'Gather' || intAttribute(node, 'axis', 0) !== 1) return false;
  const dims = builder.typeOf(node.inputs[0]!)?.dims;
  const positions = builder.elementsOf(node.inputs[1]!);
  const isFirst = positions?.length === 1 && positions[0] === 0;
  return isFirst && dims?.length === 3 && typeof dims[2] === 'number';
}

/** Dims of what is computed for each token: those behind [batch, sequence], or behind [batch × sequence]. */
function sizesOf(dims: readonly Dim[] | undefined): readonly number[] | undefined {
  const sizes = dims?.slice(Math.min(2, dims.length - 1));
  return sizes?.every((size) => typeof size === 'number') ? sizes : undefined;
}

/** Whether a Reshape gives the numbers of each token other axes, or tokens one axis instead of two. */
function keepsTokensApart(builder: GraphBuilder, node: Node): boolean {
  const [from, to] = [node.inputs[0]!, node.outputs[0]!].map((name) => builder.typeOf(name)?.dims);
  const [before, after] = [sizesOf(from), sizesOf(to)].map((sizes) => sizes?.reduce((a, b) => a * b, 1));
  if (before === undefined || before !== after) return false;
  // an axis for all tokens follows from the number of elements
  return to!.length === 2 || from!.length === 2 || (from![0] === to![0] && from![1] === to![1]);
}

/** Fused ops whose float inputs, but for vectors, are states of tokens. */
const fusedPerToken = new Set(['sesd::Dropout', 'sesd::BiasGelu', 'sesd::ResidualLayerNormalization']);

/** Whether a node computes the state of each token from states of that token, along the last axis. */
function isPerToken(builder: GraphBuilder, node: Node, reads: readonly boolean[]): boolean {
  const op = opName(node);
  const dims = node.inputs.map((input) => (input ? builder.typeOf(input)?.dims : []));
  if (op === 'Flatten') return intAttribute(node, 'axis', 1) === 2;
  const rank = builder.typeOf(node.outputs[0]!)?.dims?.length ?? 0;
  if (rank < 2 || rank > 3) return false;
  if (dims.some((each, index) => reads[index] && each?.length !== rank)) return false;
  const axis = intAttribute(node, 'axis', op === 'Split' ? 0 : -1);
  if (op === 'LayerNormalization' || op === 'Split')
    return reads[0] === true && [-1, rank - 1].includes(axis);
  const others = dims.filter((_, index) => !reads[index]);
  if (op === 'MatMul' || op === 'Gemm') {
    const [matrix, addend] = others;
    const isMatrix = matrix?.length === 2 && matrix.every((dim) => typeof dim === 'number');
    return reads[0] === true && isMatrix && !intAttribute(node, 'transA', 0) && (!addend || isShared(addend));
  }
  return (elementwise.has(op) || fusedPerToken.has(op)) && others.every(isShared);
}

/** Whether a value of these dims is the same for all tokens. */
function isShared(dims: readonly Dim[] | undefined): boolean {
  return sizesOf(dims) !== undefined && dims!.slice(0, -1).every((dim) => dim === 1);
}
