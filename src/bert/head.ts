import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { SesdError } from '../errors.ts';
import { type AttributeInit, int64Tensor, toAttribute } from '../graph/builder.ts';
import type { Attribute, Node, TensorData } from '../graph/graph.ts';
import { filledTensor, normalTensor } from './initial-weights.ts';
import type { BertOutputs, ClassifierMatch } from './outputs.ts';

export type HeadKind = 'auto' | 'pooler' | 'cls' | 'mean';

/** A classification head to be added to a graph, or new weights for the one it has. */
export interface Head {
  kind: 'existing' | 'resized' | 'vote' | 'pooler' | 'cls' | 'mean';
  /** Value with the logits [batch, classes], before any softmax. */
  logits: string;
  classes: number;
  /** What the classifier multiplies: where its dropout goes. */
  classifierInput: string;
  /** Of a mean over tokens: what reads their states, with padding's counting for nothing. */
  pooled?: string;
  /** Parameters that learn with the head's rate. */
  parameters: string[];
  /** New or resized initializers. */
  initializers: Map<string, TensorData>;
  /** Nodes to append; their spelling is the same at every opset from 11 on. */
  nodes: Node[];
}

export interface HeadOptions {
  kind: HeadKind;
  classes: number;
  /** Seed of new weights, drawn from N(0, 0.02²) as BERT's are. */
  seed: number;
  /** Name of the attention mask input, for mean pooling. */
  mask: string | undefined;
  /** Hidden size. */
  hidden: number | undefined;
  /** Whether a value or initializer of that name exists already. */
  taken(name: string): boolean;
  /** Dims of an initializer. */
  dims(name: string): readonly number[];
}

/** Keeps the graph's classifier where it fits the labels, gives it new weights where not, or plans a new one. */
export function planHead(outputs: BertOutputs, options: HeadOptions): Head {
  const { vote } = outputs;
  if (vote) return voteHead(vote, options.classes);
  const classifier = options.kind === 'auto' ? onlyClassifier(outputs.classifiers) : undefined;
  if (!classifier) return attached(outputs, options);
  const { classes } = options;
  if (classifier.classes === classes) return ownHead(classifier, 'existing', classes, new Map());
  return ownHead(classifier, 'resized', classes, resizedWeights(classifier, options));
}

function onlyClassifier(classifiers: readonly ClassifierMatch[]): ClassifierMatch | undefined {
  if (classifiers.length < 2) return classifiers[0];
  const list = classifiers.map(({ output, classes }) => `${output} [batch, ${classes}]`);
  throw new SesdError(
    'SESD_BAD_MODEL',
    `The model has ${classifiers.length} classifiers: ${list.join(', ')}. Which one the labels belong to cannot be told.`,
    {
      hint: 'Export it with one of them as its output, or put a new one on its states with --head cls or --head mean.',
    },
  );
}

/** A vote is there to be used as it is: its members are what is trained. */
function voteHead({ logits, classes, members }: NonNullable<BertOutputs['vote']>, wanted: number): Head {
  if (classes !== wanted) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `The model is the vote of ${members.length} classifiers of ${classes} labels, not of ${wanted}.`,
      { hint: 'Train one of the models it was made of: the folders run-1, run-2, … beside it.' },
    );
  }
  return {
    kind: 'vote',
    logits,
    classes,
    classifierInput: members[0]!.input,
    parameters: members.flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight])),
    initializers: new Map(),
    nodes: [],
  };
}

function ownHead(
  classifier: ClassifierMatch,
  kind: 'existing' | 'resized',
  classes: number,
  initializers: Map<string, TensorData>,
): Head {
  return {
    kind,
    logits: classifier.logits,
    classes,
    classifierInput: classifier.input,
    parameters: [classifier.weight, ...(classifier.bias ? [classifier.bias] : [])],
    initializers,
    nodes: [],
  };
}

function resizedWeights(classifier: ClassifierMatch, options: HeadOptions): Map<string, TensorData> {
  const dims = options.dims(classifier.weight);
  const size = dims[classifier.transposed ? 1 : 0]!;
  const shape = classifier.transposed ? [options.classes, size] : [size, options.classes];
  const initializers = new Map([[classifier.weight, normalTensor(shape, xoroshiro128plus(options.seed))]]);
  if (classifier.bias) initializers.set(classifier.bias, filledTensor([options.classes], 0));
  return initializers;
}

function attached(outputs: BertOutputs, options: HeadOptions): Head {
  const kind = options.kind === 'auto' ? (outputs.pooled ? 'pooler' : 'cls') : options.kind;
  const { hidden: size } = options;
  if (size === undefined || (!outputs.hidden && !(kind === 'pooler' && outputs.pooled))) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `--head ${kind} needs an output last_hidden_state [batch, sequence, hidden] with a known hidden size; the graph has none.`,
      { hint: 'Export the encoder with its last_hidden_state (Optimum task feature-extraction).' },
    );
  }
  const name = (base: string) => {
    let free = base;
    while (options.taken(free)) free = `sesd.${free}`;
    return free;
  };
  const initializers = new Map<string, TensorData>();
  const parameters: string[] = [];
  const nodes: Node[] = [];
  const step = (op: string, inputs: string[], attributes: Record<string, AttributeInit> = {}) => {
    const output = name(`classifier/${op}_${nodes.length}`);
    nodes.push(makeNode(op, inputs, output, attributes));
    return output;
  };
  const constant = (base: string, tensor: TensorData) => {
    const free = name(base);
    initializers.set(free, tensor);
    return free;
  };
  const parameter = (base: string, tensor: TensorData) => {
    const added = constant(base, tensor);
    parameters.push(added);
    return added;
  };

  let features: string;
  let pooled: string | undefined;
  if (kind === 'pooler' && outputs.pooled) features = outputs.pooled;
  else if (kind === 'mean') ({ features, pooled } = meanPooling(outputs.hidden!, options, step, constant));
  else {
    features = step('Gather', [outputs.hidden!, constant('classifier/first', int64Tensor([0], []))], {
      axis: 1,
    });
    if (kind === 'pooler') {
      const weight = parameter(
        'pooler.dense.weight',
        normalTensor([size, size], xoroshiro128plus(options.seed + 1)),
      );
      const bias = parameter('pooler.dense.bias', filledTensor([size], 0));
      features = step('Tanh', [step('Gemm', [features, weight, bias], { transB: 1 })]);
    }
  }
  const weight = parameter(
    'classifier.weight',
    normalTensor([options.classes, size], xoroshiro128plus(options.seed)),
  );
  const bias = parameter('classifier.bias', filledTensor([options.classes], 0));
  const logits = name('logits');
  nodes.push(makeNode('Gemm', [features, weight, bias], logits, { transB: 1 }));
  return {
    kind,
    logits,
    classes: options.classes,
    classifierInput: features,
    ...(pooled !== undefined && { pooled }),
    parameters,
    initializers,
    nodes,
  };
}

/**
 * Mean of the token states under the mask, in ops that every opset spells alike:
 * (mask [B,1,S] · states [B,S,H]) / (mask [B,1,S] · mask [B,S,1]); the mask's elements are 0 and 1.
 */
function meanPooling(
  hidden: string,
  options: HeadOptions,
  step: (op: string, inputs: string[], attributes?: Record<string, AttributeInit>) => string,
  constant: (base: string, tensor: TensorData) => string,
): { features: string; pooled: string } {
  if (options.mask === undefined) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      '--head mean needs a model with an attention_mask input; the graph has none.',
      {
        hint: 'Use --head cls, or export the model with its attention mask.',
      },
    );
  }
  const mask = step('Cast', [options.mask], { to: 1 });
  const row = step('Reshape', [mask, constant('classifier/row', int64Tensor([0, 1, -1]))]);
  const column = step('Reshape', [mask, constant('classifier/column', int64Tensor([0, -1, 1]))]);
  const pooled = step('MatMul', [row, hidden]);
  const mean = step('Div', [pooled, step('MatMul', [row, column])]);
  const flat = constant('classifier/flat', int64Tensor([0, options.hidden!]));
  return { features: step('Reshape', [mean, flat]), pooled };
}

function makeNode(
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, AttributeInit>,
): Node {
  const entries = Object.entries(attributes).map(([key, value]): [string, Attribute] => [
    key,
    toAttribute(value),
  ]);
  return { name: `${output}/node`, op, domain: '', inputs, outputs: [output], attributes: new Map(entries) };
}
