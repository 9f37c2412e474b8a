import type { Node } from '../graph/graph.ts';
import { findAttentionProbabilities } from '../graph/patterns/attention.ts';
import { findLayerNormalizations } from '../graph/patterns/layer-normalization.ts';
import type { GraphView } from '../graph/view.ts';

/** The table of relative positions as the attention of one layer of a DeBERTa reads it. */
export interface RelativePositions {
  /** Rows [positions, hidden], maybe with axes of 1 before, normalized or not. */
  table: string;
  /** Outputs of its products with the layer's weights. */
  products: string[];
}

/** Finds where the scores of an attention read a table that no input of the graph has a part in, layer by layer. */
export function findRelativePositions(view: GraphView): RelativePositions[] {
  const normalized = new Map(findLayerNormalizations(view).map(({ output, input }) => [output, input]));
  const found: RelativePositions[] = [];
  const seen = new Set<string>();
  for (const { softmax } of findAttentionProbabilities(view)) {
    const products = new Map<string, string[]>();
    const pending = [softmax.inputs[0]!];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      const node = seen.has(value) ? undefined : view.producer(value);
      seen.add(value);
      if (!node) continue;
      const table = projectedTable(view, node, normalized);
      if (table === undefined) pending.push(...node.inputs);
      else products.set(table, [...(products.get(table) ?? []), value]);
    }
    for (const [table, outputs] of products) found.push({ table, products: outputs });
  }
  return found;
}

/** The left factor of table · weight. */
function projectedTable(
  view: GraphView,
  node: Node,
  normalized: ReadonlyMap<string, string>,
): string | undefined {
  if (node.op !== 'MatMul' && node.op !== 'Gemm') return undefined;
  const [left, right] = node.inputs as [string, string];
  const weight = view.producerOf(right, 'Transpose')?.inputs[0] ?? right;
  return view.isInitializer(weight) && isTable(view, left, normalized) ? left : undefined;
}

const layouts = new Set(['Slice', 'Reshape', 'Unsqueeze', 'Squeeze', 'Identity', 'Cast', 'Expand']);

function isTable(view: GraphView, value: string, normalized: ReadonlyMap<string, string>): boolean {
  let source = value;
  while (!view.isInitializer(source)) {
    const node = view.producer(source);
    const next = normalized.get(source) ?? (node && layouts.has(node.op) ? node.inputs[0] : undefined);
    if (next === undefined) return false;
    source = next;
  }
  return (view.rank(source) ?? 0) >= 2;
}
