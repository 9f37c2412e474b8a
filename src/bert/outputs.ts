import { SesdError } from '../errors.ts';
import { intAttribute, type Node, opName } from '../graph/graph.ts';
import type { GraphView } from '../graph/view.ts';

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
  /** The graph's own classifier. */
  classifier: (LinearMatch & { logits: string; classes: number }) | undefined;
  /** The vote of several classifiers (export/vote.ts): log of the mean of their probabilities. */
  vote: { logits: string; classes: number; members: LinearMatch[] } | undefined;
}

/** Finds the token states, the pooled state and the classifier among the graph's outputs. */
export function findOutputs(view: GraphView): BertOutputs {
  const found: BertOutputs = { hidden: undefined, pooled: undefined, classifier: undefined, vote: undefined };
  for (const output of view.graph.outputs) {
    const type = view.graph.types.get(output);
    const value = skip(view, output, 'Identity', 'Softmax', 'LogSoftmax');
    if (type?.dtype !== 'float32' && type?.dtype !== 'float16') continue;
    if (view.producerOf(value, 'Tanh') && view.rank(output) === 2) {
      found.pooled ??= output;
      continue;
    }
    const members = matchVote(view, value);
    const labels = type.dims?.at(-1);
    if (members && typeof labels === 'number') found.vote ??= { logits: value, classes: labels, members };
    const rank = type.dims?.length;
    const linear = rank === 2 || /logits/i.test(output) ? matchLinear(view, value) : undefined;
    if (linear && rank === 2) {
      const classes = type.dims!.at(-1);
      if (typeof classes === 'number') found.classifier ??= { ...linear, logits: value, classes };
    } else if (rank === 3 && !linear) found.hidden ??= output;
  }
  if (!found.hidden && !found.pooled && !found.classifier && !found.vote) {
    const list = view.graph.outputs.map((name) => {
      const type = view.graph.types.get(name);
      return `${name} ${type?.dtype ?? '?'}[${type?.dims?.join(', ') ?? '?'}]`;
    });
    throw new SesdError(
      'SESD_BAD_MODEL',
      `No output of the graph can be classified from: expected logits [batch, classes], last_hidden_state [batch, sequence, hidden] or pooler_output [batch, hidden], found ${list.join('; ')}.`,
      {
        hint: 'Export the encoder (task feature-extraction) or a sequence classifier (task text-classification).',
      },
    );
  }
  return found;
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
function matchLinear(view: GraphView, output: string): LinearMatch | undefined {
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
