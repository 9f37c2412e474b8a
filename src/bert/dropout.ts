import type { GraphBuilder } from '../graph/builder.ts';
import { consumers } from '../graph/graph.ts';
import { findAttentionProbabilities } from '../graph/patterns/attention.ts';
import { findLayerNormalizations } from '../graph/patterns/layer-normalization.ts';
import { replaceUses } from '../graph/rewrite.ts';
import { sortNodes } from '../graph/sort.ts';
import type { GraphView } from '../graph/view.ts';

/** Name of the graph input that carries the key of the dropout stream: int64[2], each below 2³². */
export const DROPOUT_KEY = 'sesd/dropout_key';

/** Where dropout goes; the order of the sites numbers their random streams. */
export interface DropoutSites {
  /** Outputs of the embedding LayerNormalization. */
  embeddings: string[];
  /** Attention probabilities, after softmax. */
  attention: string[];
  /** Outputs of the two dense layers of a block, before the residual sum. */
  sublayers: string[];
  /** Input of the classifier. */
  classifier: string[];
}

/**
 * The places where BERT drops out in training (Devlin et al. 2019, appendix A.2; as in the reference
 * implementations). An inference export carries no trace of them, so they are found by structure.
 */
export function findDropoutSites(view: GraphView, classifierInput: string): DropoutSites {
  const normalizations = findLayerNormalizations(view);
  const outputs = new Set(normalizations.map((match) => match.output));
  const sites: DropoutSites = { embeddings: [], attention: [], sublayers: [], classifier: [classifierInput] };
  for (const match of normalizations) {
    if (sites.embeddings.length === 0 && readsTable(view, match.input)) {
      sites.embeddings.push(match.output);
      continue;
    }
    const dense = denseBranch(view, match.input, outputs);
    if (dense !== undefined) sites.sublayers.push(dense);
  }
  for (const match of findAttentionProbabilities(view)) sites.attention.push(match.probabilities);
  return sites;
}

/** Puts a `sesd::Dropout` behind every site. */
export function insertDropout(builder: GraphBuilder, sites: DropoutSites, ratio: number): void {
  const { graph } = builder;
  graph.inputs.push(DROPOUT_KEY);
  graph.types.set(DROPOUT_KEY, { dtype: 'int64', dims: [2] });
  const users = consumers(graph);
  const values = [...sites.embeddings, ...sites.attention, ...sites.sublayers, ...sites.classifier];
  for (const [site, value] of values.entries()) {
    const readers = (users.get(value) ?? []).filter((node) => !isGuardOf(node.op));
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

/** Of a residual sum, the operand a dense layer makes: reached through bias additions and reshapes. */
function denseBranch(view: GraphView, sum: string, residuals: ReadonlySet<string>): string | undefined {
  const add = view.producerOf(sum, 'Add');
  if (!add) return undefined;
  return add.inputs.find((operand) => {
    if (residuals.has(operand)) return false;
    let value: string | undefined = operand;
    for (;;) {
      const node = view.producer(value);
      if (!node) return false;
      if (node.op === 'MatMul' || node.op === 'Gemm') return true;
      if (node.op === 'Add') value = node.inputs.find((input) => !view.isInitializer(input));
      else if (node.op === 'Reshape') value = node.inputs[0];
      else return false;
    }
  });
}

/** Whether a sum has a row of an embedding table among its terms. */
function readsTable(view: GraphView, value: string): boolean {
  const node = view.producer(value);
  if (node?.op === 'Gather') return view.isInitializer(node.inputs[0]!);
  if (node?.op === 'Reshape') return readsTable(view, node.inputs[0]!);
  return node?.op === 'Add' && node.inputs.some((input) => readsTable(view, input));
}
