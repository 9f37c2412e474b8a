import type { FeedRole } from '../engine/plan.ts';
import { SesdError } from '../errors.ts';
import type { Dim } from '../graph/dims.ts';
import type { DataType, Graph } from '../graph/graph.ts';
import type { GraphView } from '../graph/view.ts';

export interface BertInput {
  role: FeedRole;
  name: string;
  dtype: DataType;
}

/** The embedding tables by what indexes them. */
export interface Embeddings {
  /** Initializers: [vocabulary, hidden], [types, hidden], [positions, hidden]. */
  word: string;
  types: string | undefined;
  positions: string | undefined;
}

export interface BertInputs {
  inputs: BertInput[];
  embeddings: Embeddings;
  /** Sizes the graph was exported for; undefined where any goes. */
  fixed: { rows?: number; length?: number };
}

/** Rows of a batch and tokens of a row, as the graph's types have them. */
export function batchDims({ fixed }: BertInputs): { rows: Dim; length: Dim } {
  return { rows: fixed.rows ?? 'batch', length: fixed.length ?? 'sequence' };
}

/** Ops that only change the shape or type of indices. */
export const passThrough: ReadonlySet<string> = new Set([
  ...['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Expand'],
]);

/**
 * Finds what each graph input is by what the graph does with it, names being the exporter's whim: ids index the
 * table with the most rows, types the one with the fewest, positions the other; the mask indexes nothing. Inputs
 * that only go to outputs of their own, as the numbers of examples do, are none of these.
 */
export function findInputs(view: GraphView): BertInputs {
  const { graph } = view;
  const tables = findTables(view);
  const word = tables.filter((table) => table.input !== undefined).sort((a, b) => b.rows - a.rows)[0];
  if (!word) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `The graph is not a text encoder: none of its inputs (${graph.inputs.join(', ')}) indexes an embedding table.`,
      { hint: 'Export a BERT whose input is token ids, for example with Optimum or torch.onnx.export.' },
    );
  }
  // The models of a vote have a table of words each.
  const terms = tablesAddedTo(view, word.name);
  const others = tables.filter((table) => table.input !== word.input && terms.has(table.name));
  const byInput = others.filter((table) => table.input !== undefined).sort((a, b) => a.rows - b.rows);
  const named = (pattern: RegExp) => byInput.find((table) => pattern.test(table.input!));
  const types = named(/type|segment/i) ?? byInput.find((table) => table.rows <= 16);
  const positionsInput = named(/pos/i) ?? byInput.find((table) => table.input !== types?.input);
  const positionTable =
    positionsInput ?? largest(others.filter((table) => table !== types && table.input === undefined));
  const typeTable = types ?? others.find((table) => table.input === undefined && table !== positionTable);

  const read = inputsBeside(view, word.input!);
  const inputs: BertInput[] = [...read].map((name) => ({
    name,
    dtype: graph.types.get(name)?.dtype ?? 'int64',
    role:
      name === word.input
        ? 'ids'
        : name === types?.input
          ? 'types'
          : name === positionsInput?.input
            ? 'positions'
            : 'mask',
  }));
  const masks = inputs.filter((input) => input.role === 'mask');
  if (masks.length > 1) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `Cannot tell what the inputs ${masks.map((input) => input.name).join(' and ')} are: one attention mask is expected beside the token ids, token types and positions.`,
      {
        hint: 'Export the model with input_ids, attention_mask and token_type_ids only; of an encoder with a decoder, the encoder.',
      },
    );
  }
  const [rows, length] = graph.types.get(word.input!)?.dims ?? [];
  return {
    inputs,
    embeddings: { word: word.name, types: typeTable?.name, positions: positionTable?.name },
    fixed: {
      ...(typeof rows === 'number' ? { rows } : {}),
      ...(typeof length === 'number' ? { length } : {}),
    },
  };
}

interface Table {
  name: string;
  rows: number;
  /** The graph input its indices come from. */
  input: string | undefined;
}

/** Graph inputs that what depends on the token ids depends on too, in the graph's order. */
function inputsBeside(view: GraphView, ids: string): readonly string[] {
  const found = new Set<string>();
  for (const output of view.graph.outputs) {
    const above = view.ancestors(output);
    if (above.has(ids)) for (const value of above) found.add(value);
  }
  return view.graph.inputs.filter((name) => found.has(name));
}

/** Initializers [rows, hidden] that are gathered or sliced by rows, or multiplied by rows of OneHot. */
function findTables(view: GraphView): Table[] {
  const tables = new Map<string, Table>();
  for (const node of view.graph.nodes) {
    const at = { Gather: 0, Slice: 0, MatMul: 1 }[node.op];
    const name = at === undefined ? undefined : node.inputs[at];
    const tensor = name === undefined ? undefined : view.graph.initializers.get(name);
    if (tensor?.dims.length !== 2 || !tensor.dtype.startsWith('float')) continue;
    const index = node.op === 'MatMul' ? oneHotIndex(view, node.inputs[0]!) : node.inputs[1]!;
    if (index === undefined) continue;
    const input = node.op === 'Slice' ? undefined : sourceInput(view, index);
    if (!tables.get(name!)?.input) tables.set(name!, { name: name!, rows: tensor.dims[0]!, input });
  }
  return [...tables.values()];
}

/** What OneHot is of, when `value` is its rows. */
function oneHotIndex(view: GraphView, value: string): string | undefined {
  const node = view.producer(source(view, value));
  return node?.op === 'OneHot' ? node.inputs[0] : undefined;
}

/** The tables whose rows are added to those of `table`: with it they make the embeddings. */
function tablesAddedTo(view: GraphView, table: string): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  // from the rows of one table to the sums they are in, and from those to their other terms
  const follow = (value: string) => {
    if (seen.has(value)) return;
    seen.add(value);
    const node = view.producer(value);
    if (node && (node.op === 'Add' || passThrough.has(node.op)))
      for (const input of node.op === 'Add' ? node.inputs : node.inputs.slice(0, 1)) follow(input);
    else if (node?.op === 'Gather' || node?.op === 'Slice') found.add(node.inputs[0]!);
    // OneHot times the table
    else if (node?.op === 'MatMul') found.add(node.inputs[1]!);
    for (const user of view.users(value))
      if (user.op === 'Add' || (passThrough.has(user.op) && user.inputs[0] === value))
        follow(user.outputs[0]!);
  };
  for (const node of view.users(table)) follow(node.outputs[0]!);
  found.delete(table);
  return found;
}

function sourceInput(view: GraphView, value: string): string | undefined {
  const found = source(view, value);
  return view.graph.inputs.includes(found) ? found : undefined;
}

/** Where a value comes from that only changed its shape or type. */
function source(view: GraphView, value: string): string {
  let current = value;
  for (let node = view.producer(current); node && passThrough.has(node.op); node = view.producer(current)) {
    current = node.inputs[0]!;
  }
  return current;
}

function largest(tables: readonly Table[]): Table | undefined {
  return [...tables].sort((a, b) => b.rows - a.rows)[0];
}

/** Rows of a table of the graph. */
export function tableRows(graph: Graph, name: string | undefined): number | undefined {
  return name === undefined ? undefined : graph.initializers.get(name)?.dims[0];
}
