import type { GraphBuilder } from '../graph/builder.ts';
import { consumers } from '../graph/graph.ts';
import { findAttentionProbabilities, hasUnbiasedAttention } from '../graph/patterns/attention.ts';
import { findLayerNormalizations } from '../graph/patterns/layer-normalization.ts';
import { replaceUses } from '../graph/rewrite.ts';
import { sortNodes } from '../graph/sort.ts';
import type { GraphView } from '../graph/view.ts';
import type { Positions } from './positions.ts';
import { findRelativePositions, type RelativePositions } from './relative-positions.ts';

/** Name of the graph input that carries the key of the dropout stream: int64[2], each below 2³². */
export const DROPOUT_KEY = 'sesd/dropout_key';

/** Where dropout goes; the order of the sites numbers their random streams. */
export interface DropoutSites {
  /** Outputs of the embedding LayerNormalization. */
  embeddings: string[];
  /** Attention probabilities, after softmax. */
  attention: string[];
  /** Tables of relative positions, as each layer reads them. */
  relativePositions: RelativePositions[];
  /**
   * Outputs of the two dense layers of a block, before the residual sum; what a gated layer multiplies, where the second
   * takes that; outputs of convolutions.
   */
  sublayers: string[];
  /** Input of the classifier, behind that of a head's own dense layer. */
  classifier: string[];
}

/**
 * The places where a model of BERT's family drops out in training (Devlin et al. 2019, appendix A.2; as in Hugging
 * Face's implementations). An inference export carries no trace of them, so they are found by structure.
 * @param head what is dropped out of the head
 */
export function findDropoutSites(
  view: GraphView,
  { positions, head }: { positions: Positions; head: string[] },
): DropoutSites {
  const normalizations = findLayerNormalizations(view);
  const residuals = new Set(normalizations.map((match) => match.output));
  const embeddings = normalizations.find(({ input }) => readsTable(view, input));
  const sublayers = normalizations
    .filter((match) => match !== embeddings)
    .map(({ input }) => findSublayer(view, input, residuals));
  const distilled = embeddings !== undefined && isDistilBert(view, embeddings.input, positions);
  return {
    embeddings: embeddings ? [embeddings.output] : [],
    attention: findAttentionProbabilities(view).map((match) => match.probabilities),
    relativePositions: findRelativePositions(view),
    sublayers: [
      ...sublayers
        .filter((found) => found !== undefined)
        .filter(({ kind, isShared }) => (kind === 'attention' ? !distilled : !isShared))
        .map(({ output }) => output),
      ...view.graph.nodes.filter(({ op }) => op === 'Conv').map(({ outputs }) => outputs[0]!),
    ],
    classifier: head,
  };
}

/** Puts a `sesd::Dropout` behind every site. */
export function insertDropout(builder: GraphBuilder, sites: DropoutSites, ratio: number): void {
  const { graph } = builder;
  graph.inputs.push(DROPOUT_KEY);
  graph.types.set(DROPOUT_KEY, { dtype: 'int64', dims: [2] });
  const users = consumers(graph);
  const whole = (value: string) => ({
    value,
    readers: (users.get(value) ?? []).filter((node) => !isGuardOf(node.op)),
  });
  const places = [
    ...[...sites.embeddings, ...sites.attention, ...sites.sublayers, ...sites.classifier].map(whole),
    // each layer drops for itself from the table they share
    ...sites.relativePositions.map(({ table, products }) => ({
      value: table,
      readers: whole(table).readers.filter(({ outputs }) => products.includes(outputs[0]!)),
    })),
  ];
  for (const [site, { value, readers }] of places.entries()) {
    const dropped = builder.op('Dropout', [value, DROPOUT_KEY], {
      domain: 'sesd',
      attributes: { ratio: { float: ratio }, site },
    });
    replaceUses(graph, value, dropped, readers);
  }
  sortNodes(graph);
}

/** Ops that only look at a value's shape or at whether it is a number. */
function isGuardOf(op: string): boolean {
  return op === 'Shape' || op === 'IsNaN';
}

/** The last dense layer of a block's attention or feed-forward network. */
interface Sublayer {
  kind: 'attention' | 'feed-forward';
  /** Its output, that goes into a residual sum; or its input, where that is a product with a gate, as in ModernBERT. */
  output: string;
  /** Whether other layers have the same weight, as in ALBERT, which drops nothing behind its feed-forward network. */
  isShared: boolean;
}

/** What a dense layer adds to a residual sum, reached through bias additions and reshapes. */
function findSublayer(view: GraphView, sum: string, residuals: ReadonlySet<string>): Sublayer | undefined {
  for (const output of view.producerOf(sum, 'Add')?.inputs ?? []) {
    // what is added to has other readers: the sublayer
    if (residuals.has(output) || !view.soleUser(output)) continue;
    let node = view.producer(output);
    while (node && (node.op === 'Add' || node.op === 'Reshape')) {
      node = view.producer(node.inputs.find((input) => !view.isInitializer(input)));
    }
    if (node?.op !== 'MatMul' && node?.op !== 'Gemm') continue;
    // heads are joined before, and an activation comes before the other
    const kind = view.producerOf(node.inputs[0], 'Reshape') ? 'attention' : 'feed-forward';
    const site = isGated(view, node.inputs[0]!) ? node.inputs[0]! : output;
    return { kind, output: site, isShared: isShared(view, node.inputs[1]!) };
  }
  return undefined;
}

/** Whether a value is the product of something with one part of a dense layer's output, its gate. */
function isGated(view: GraphView, value: string): boolean {
  const product = view.producerOf(value, 'Mul');
  return product?.inputs.some((factor) => view.producerOf(factor, 'Split', 'Slice')) ?? false;
}

/** Whether more than one product has this matrix, or its transpose, for a factor. */
function isShared(view: GraphView, matrix: string): boolean {
  const transpose = view.producerOf(matrix, 'Transpose');
  return view.users(matrix).length > 1 || (transpose !== undefined && isShared(view, transpose.inputs[0]!));
}

/**
 * Whether this is DistilBERT, which drops nothing behind its attention: BERT without token types, so that two terms
 * make its embeddings. So have MPNet, whose positions are counted, and DeBERTa, whose attention is another.
 */
function isDistilBert(view: GraphView, embeddings: string, positions: Positions): boolean {
  const terms = view.producerOf(embeddings, 'Add')?.inputs.map((input) => view.producer(input)?.op);
  const hasTwoTerms = terms?.every((op) => op === 'Gather') ?? false;
  return hasTwoTerms && !positions.counted && hasUnbiasedAttention(view);
}

/** Whether a sum has a row of an embedding table among its terms. */
function readsTable(view: GraphView, value: string): boolean {
  const node = view.producer(value);
  if (node?.op === 'Gather') return view.isInitializer(node.inputs[0]!);
  if (node?.op === 'Reshape') return readsTable(view, node.inputs[0]!);
  // DeBERTa projects narrower embeddings before it normalizes them
  if (node?.op === 'MatMul') return view.isInitializer(node.inputs[1]!) && readsTable(view, node.inputs[0]!);
  return node?.op === 'Add' && node.inputs.some((input) => readsTable(view, input));
}
