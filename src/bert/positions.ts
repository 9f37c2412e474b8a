import type { Node } from '../graph/graph.ts';
import type { GraphView } from '../graph/view.ts';
import { passThrough, tableRows } from './inputs.ts';

/** How a graph uses its table of positions. */
export interface Positions {
  /** The longest sequence the table serves; undefined where nothing says. */
  longest: number | undefined;
  /** Whether positions are counted from the ids that are not padding, as in RoBERTa, XLM-R and MPNet. */
  counted: boolean;
}

/**
 * BERT's positions are 0, 1, …: each row of the table serves one. RoBERTa's begin behind the id of padding,
 * cumsum(ids ≠ pad)·mask + pad, so that of 514 rows 512 serve. Positions may also be read from a stored list,
 * which then bounds them too.
 */
export function findPositions(view: GraphView, table: string | undefined): Positions {
  const rows = tableRows(view.graph, table);
  const found: Positions = { longest: rows, counted: false };
  if (table === undefined || rows === undefined) return found;
  for (const node of view.users(table)) {
    const source = node.op === 'Gather' ? traceIndices(view, node.inputs[1]!) : undefined;
    if (!source) continue;
    if (source.kind === 'list') found.longest = Math.min(rows, source.size);
    else found.longest = rows - source.first;
    found.counted = source.kind === 'count';
  }
  return found;
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
