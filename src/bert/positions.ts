import type { Node } from '../graph/graph.ts';
import type { GraphView } from '../graph/view.ts';
import { passThrough, tableRows } from './inputs.ts';

/** How a graph uses its table of positions. */
export interface Positions {
  /** The longest sequence the table serves; undefined where nothing says. */
  longest: number | undefined;
  /** The position of the first token. */
  first: number;
  /** Whether positions are counted from the ids that are not padding, as in RoBERTa, XLM-R and MPNet; or fed so. */
  counted: boolean;
}

/**
 * BERT's positions are 0, 1, …: each row of the table serves one. RoBERTa's begin behind the id of padding,
 * cumsum(ids ≠ pad)·mask + pad, so that of 514 rows 512 serve. Positions may also be read from a stored list,
 * which then bounds them too.
 * @param options.fed whether positions are an input of the graph
 * @param options.config of the model
 */
export function findPositions(
  view: GraphView,
  table: string | undefined,
  { fed = false, config }: { fed?: boolean; config?: FamilyConfig | undefined } = {},
): Positions {
  const rows = tableRows(view.graph, table);
  const found: Positions = { longest: rows, first: 0, counted: false };
  if (table === undefined || rows === undefined) return found;
  if (fed) {
    const first = firstFed(rows, config);
    return { longest: rows - first, first, counted: first > 0 };
  }
  for (const node of view.users(table)) {
    const source = node.op === 'Gather' ? traceIndices(view, node.inputs[1]!) : undefined;
    if (!source) continue;
    if (source.kind === 'list') found.longest = Math.min(rows, source.size);
    else {
      found.first = source.first;
      found.longest = rows - source.first;
    }
    found.counted = source.kind === 'count';
  }
  return found;
}

/** What a config.json says of the model's family; not checked. */
export interface FamilyConfig {
  model_type?: unknown;
  pad_token_id?: unknown;
}

/** Families whose positions begin behind the id of padding, which is 1 unless config.json says otherwise. */
const behindPadding: ReadonlySet<unknown> = new Set([
  ...['roberta', 'roberta-prelayernorm', 'xlm-roberta', 'xlm-roberta-xl', 'xmod', 'camembert', 'mpnet'],
  ...['longformer', 'data2vec-text', 'ibert', 'luke', 'mluke', 'layoutlmv3', 'lilt'],
]);

/**
 * The first position, where the graph is fed them and so does not say it. Without a config.json the table does: those
 * families' has two rows more than a power of two.
 */
function firstFed(rows: number, { model_type, pad_token_id }: FamilyConfig = {}): number {
  const behind =
    model_type === undefined ? rows > 2 && Math.log2(rows - 2) % 1 === 0 : behindPadding.has(model_type);
  if (!behind) return 0;
  const first = typeof pad_token_id === 'number' ? pad_token_id + 1 : 2;
  return Number.isSafeInteger(first) && first > 0 && first < rows ? first : 2;
}

type Indices =
  /** first, first + 1, … by position or by a running count of tokens. */
  | { kind: 'range' | 'count'; first: number }
  /** The beginning of a stored list. */
  | { kind: 'list'; size: number };

function traceIndices(view: GraphView, value: string): Indices | undefined {
  const node = view.producer(value);
  if (!node) return undefined;
  if (passThrough.has(node.op)) return traceIndices(view, node.inputs[0]!);
  switch (node.op) {
    case 'CumSum':
      return { kind: 'count', first: 1 };
    case 'Range': {
      const first = view.scalar(node.inputs[0]);
      return first === undefined ? undefined : { kind: 'range', first };
    }
    case 'Slice':
      return storedList(view, node);
    // the count times the mask of tokens
    case 'Mul':
      return traceAny(view, node);
    case 'Add': {
      const constant = view.scalarOperand(node);
      if (!constant) return undefined;
      const source = traceIndices(view, constant.other);
      return source && source.kind !== 'list' ? { ...source, first: source.first + constant.value } : source;
    }
    default:
      return undefined;
  }
}

function traceAny(view: GraphView, { inputs }: Node): Indices | undefined {
  for (const input of inputs) {
    const source = traceIndices(view, input);
    if (source) return source;
  }
  return undefined;
}

function storedList(view: GraphView, slice: Node): Indices | undefined {
  const tensor = view.graph.initializers.get(slice.inputs[0]!);
  return tensor && { kind: 'list', size: tensor.dims.at(-1) ?? 1 };
}
