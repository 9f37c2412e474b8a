import { SesdError } from '../errors.ts';
import { intAttribute, isFloat, type Node, opName } from '../graph/graph.ts';
import type { GraphView } from '../graph/view.ts';
import { findTokenStates } from './token-states.ts';

/** A linear layer y = x·W (+ b) with its parameters. */
export interface LinearMatch {
  input: string;
  weight: string;
  bias: string | undefined;
  /** Whether the weight is stored [out, in]. */
  transposed: boolean;
}

export interface BertOutputs {
  /** Token states [batch, sequence, hidden]. */
  hidden: string | undefined;
  /** tanh-pooled first state [batch, hidden]. */
  pooled: string | undefined;
  /** The graph's own classifiers: one, unless the model has several tasks. */
  classifiers: ClassifierMatch[];
  /** The vote of several classifiers (export/vote.ts): log of the mean of their probabilities. */
  vote: { logits: string; classes: number; members: LinearMatch[] } | undefined;
  /** Outputs that are none of these nor follow from them: of a head for tokens, for example. */
  unrelated: string[];
}

export interface ClassifierMatch extends LinearMatch {
  /** The graph output it ends in. */
  output: string;
  /** Value [batch, classes] before any softmax. */
  logits: string;
  classes: number;
}

/**
 * Finds the token states, the pooled state and the classifiers among the graph's outputs. Where the states are not
 * among them, they are what the heads of the graph read.
 */
export function findOutputs(view: GraphView): BertOutputs {
  const found: BertOutputs = {
    ...{ hidden: undefined, pooled: undefined, vote: undefined },
    ...{ classifiers: [], unrelated: [] },
  };
  const states: string[] = [];
  for (const output of view.graph.outputs) {
    const value = skip(view, output, 'Identity', 'Softmax', 'LogSoftmax', 'Sigmoid', 'ArgMax', 'Cast');
    const { dtype = 'bool', dims } = view.graph.types.get(value) ?? {};
    const rank = isFloat(dtype) ? dims?.length : undefined;
    const classes = dims?.at(-1);
    const linear = matchLinear(view, value);
    const members = matchVote(view, value);
    if (rank === 3 && !linear) states.push(output);
    else if (rank === 2 && view.producerOf(value, 'Tanh')) found.pooled ??= output;
    else if (rank === 2 && members && typeof classes === 'number') {
      found.vote ??= { logits: value, classes, members };
    } else if (rank === 2 && linear && typeof classes === 'number') {
      const known = found.classifiers.some(({ logits }) => logits === value);
      if (!known) found.classifiers.push({ ...linear, output, logits: value, classes });
    } else found.unrelated.push(output);
  }
  // Beside the last states exporters may write those of every layer.
  found.hidden = states.find((output) => /last_hidden_state/.test(output)) ?? latest(view, states);
  found.hidden ??= findTokenStates(view);
  if (!found.hidden && !found.pooled && found.classifiers.length === 0 && !found.vote) {
    throw nothingToClassify(view);
  }
  return found;
}

/** The value that is computed last. */
function latest(view: GraphView, values: readonly string[]): string | undefined {
  if (values.length < 2) return values[0];
  return view.graph.nodes.flatMap(({ outputs }) => outputs).findLast((output) => values.includes(output));
}

function nothingToClassify(view: GraphView): SesdError {
  const list = view.graph.outputs.map((name) => {
    const type = view.graph.types.get(name);
    return `${name} ${type?.dtype ?? '?'}[${type?.dims?.join(', ') ?? '?'}]`;
  });
  return new SesdError(
    'SESD_BAD_MODEL',
    `No output of the graph can be classified from: expected logits [batch, classes], last_hidden_state [batch, sequence, hidden] or pooler_output [batch, hidden], or a head on the states of an encoder; found ${list.join('; ')}.`,
    {
      hint: 'Export the encoder (task feature-extraction) or a sequence classifier (task text-classification).',
    },
  );
}

/** Log(Sum(Softmax(linear), …) · 1/N). */
function matchVote(view: GraphView, value: string): LinearMatch[] | undefined {
  const mean = view.producerOf(view.producerOf(value, 'Log')?.inputs[0], 'Mul');
  const sum = view.producerOf(mean?.inputs[0], 'Sum');
  const members = sum?.inputs.map((input) =>
    matchLinear(view, skip(view, input, 'Softmax', 'Cast', 'Identity')),
  );
  return members?.every((member) => member !== undefined) ? members : undefined;
}

function skip(view: GraphView, value: string, ...ops: string[]): string {
  for (let node = view.producer(value); node && ops.includes(opName(node)); node = view.producer(value)) {
    value = node.inputs[0]!;
  }
  return value;
}

/** Gemm, or MatMul with or without an Add, whose weight is a matrix of the file. */
export function matchLinear(view: GraphView, output: string): LinearMatch | undefined {
  const node = view.producer(output);
  if (!node) return undefined;
  if (node.op === 'Gemm') return matchGemm(view, node);
  if (node.op === 'MatMul') return matchMatMul(view, node, undefined);
  if (node.op !== 'Add') return undefined;
  for (const [index, bias] of node.inputs.entries()) {
    if (!view.isInitializer(bias)) continue;
    const product = view.producerOf(node.inputs[1 - index], 'MatMul');
    if (product) return matchMatMul(view, product, bias);
  }
  return undefined;
}

function matchGemm(view: GraphView, node: Node): LinearMatch | undefined {
  const [input, weight, bias] = node.inputs;
  if (!weight || !view.isInitializer(weight) || intAttribute(node, 'transA', 0) !== 0) return undefined;
  return {
    input: input!,
    weight,
    bias: bias || undefined,
    transposed: intAttribute(node, 'transB', 0) !== 0,
  };
}

function matchMatMul(view: GraphView, node: Node, bias: string | undefined): LinearMatch | undefined {
  const [input, right] = node.inputs;
  if (view.isInitializer(right!)) return { input: input!, weight: right!, bias, transposed: false };
  const transpose = view.producerOf(right, 'Transpose');
  const weight = transpose?.inputs[0];
  return weight && view.isInitializer(weight) ? { input: input!, weight, bias, transposed: true } : undefined;
}
