import { SesdError } from '../errors.ts';
import { type Dim, multiplyDims } from '../graph/dims.ts';
import { isFloat, type Node } from '../graph/graph.ts';
import { findAttentionProbabilities } from '../graph/patterns/attention.ts';
import type { GraphView } from '../graph/view.ts';
import type { Head } from './head.ts';

/** Where in the network a weight is used. Layers count from 0 at the bottom; a weight several share spans them. */
export type Place =
  | { kind: 'embeddings' | 'pooler' | 'classifier' }
  | { kind: 'layer'; lowest: number; highest: number };

/**
 * `embeddings`, `layer.3`, `layer.0-11` for a weight that layers 0 to 11 share, `pooler` or `classifier`; `elsewhere`
 * when it has no place.
 */
export function placeName(place: Place | undefined): string {
  if (place?.kind !== 'layer') return place?.kind ?? 'elsewhere';
  const { lowest, highest } = place;
  return lowest === highest ? `layer.${lowest}` : `layer.${lowest}-${highest}`;
}

const kinds = ['embeddings', 'layer', 'pooler', 'classifier'];

/** Order from the bottom of the network to its top. */
export function comparePlaces(a: Place | undefined, b: Place | undefined): number {
  const rank = (place: Place | undefined) => (place === undefined ? -1 : kinds.indexOf(place.kind));
  if (a?.kind === 'layer' && b?.kind === 'layer') return a.lowest - b.lowest || a.highest - b.highest;
  return rank(a) - rank(b);
}

export interface Places {
  /** Number of layers: attentions one upon the other. */
  layers: number;
  /** The place of every initializer that floats are computed with. */
  of: ReadonlyMap<string, Place>;
  /** Initializers that floats are multiplied by, element by element: the scales of normalizations. */
  scales: ReadonlySet<string>;
}

/** A weight's name with its place before it, whatever the exporter called it: `layer.3.onnx::MatMul_123`. */
export function placedName(name: string, { of }: Places): string {
  return `${placeName(of.get(name))}.${name}`;
}

/** The number of layers. @throws SesdError SESD_USAGE, naming the `flag` that needs it, when no layer was recognized */
export function requireLayers({ layers }: Places, flag: string): number {
  if (layers > 0) return layers;
  throw new SesdError('SESD_USAGE', `${flag}: no layers of attention were recognized in the model.`, {
    hint: 'Leave the flag out, or export the model with torch.onnx or Optimum.',
  });
}

/**
 * Finds where each weight is used by following the floats through the graph; the names of weights, which some
 * exporters replace, play no part. An attention's product with its values opens the next level. A node all of whose
 * results go through one attention belongs to that attention's layer, as the projections of query, key and value do;
 * any other belongs to the layer of the last attention before it, or to the embeddings where there is none. Above the
 * last attention, what no longer has a row for each token is the pooler, and what follows the classifier's input the
 * classifier.
 *
 * @param view a graph with inferred types, of stock operators, without dropout
 * @param batch its dims of rows and of tokens in a row
 */
export function findPlaces(view: GraphView, head: Head, batch: { rows: Dim; length: Dim }): Places {
  const flow = followFloats(view, head.classifierInput);
  const tokens = multiplyDims([batch.rows, batch.length]);
  const of = new Map<string, Place>();
  const scales = new Set<string>();
  for (const name of view.graph.initializers.keys()) {
    const found = usesOf(view, name);
    const uses = found.map(({ node }) => ({ node, ...flow.at(node) }));
    if (uses.length === 0) continue;
    if (found.some(isScaling)) scales.add(name);
    if (head.kind === 'vote' && head.parameters.includes(name)) of.set(name, { kind: 'classifier' });
    else
      of.set(
        name,
        placeOf(uses, flow.layers, (node) => hasTokens(view, node, tokens)),
      );
  }
  return { layers: flow.layers, of, scales };
}

interface Position {
  /** Attentions upstream, one upon the other. */
  level: number;
  /** The layer of the attention that everything computed from here goes through, if there is one. */
  gate: number | undefined;
  afterClassifierInput: boolean;
}

function placeOf(
  uses: readonly (Position & { node: Node })[],
  layers: number,
  perToken: (node: Node) => boolean,
): Place {
  const inLayers: number[] = [];
  let above: Place | undefined;
  for (const { node, level, gate, afterClassifierInput } of uses) {
    if (gate !== undefined) inLayers.push(gate);
    else if (level === 0) return { kind: 'embeddings' };
    else if (level < layers || perToken(node)) inLayers.push(level - 1);
    else above ??= { kind: afterClassifierInput ? 'classifier' : 'pooler' };
  }
  if (above !== undefined && inLayers.length === 0) return above;
  const [lowest, highest] = [Math.min(...inLayers), Math.max(...inLayers)];
  // A table that every layer reads directly, as one of relative positions, belongs to none of them.
  if (lowest !== highest && uses.every(({ level }) => level === 0)) return { kind: 'embeddings' };
  return { kind: 'layer', lowest, highest };
}

/** Ops that only look at a weight differently: its use is where their result goes. */
const layouts = new Set([
  ...['Transpose', 'Reshape', 'Identity', 'Cast', 'Split', 'Slice', 'Squeeze', 'Unsqueeze', 'Flatten'],
]);

/** The nodes that compute with a weight, and which input it is there. */
function usesOf(view: GraphView, value: string): { node: Node; input: number }[] {
  return view
    .users(value)
    .filter((node) => carriesFloats(view, node))
    .flatMap((node) => {
      const input = node.inputs.indexOf(value);
      return layouts.has(node.op) && input === 0
        ? node.outputs.flatMap((output) => usesOf(view, output))
        : [{ node, input }];
    });
}

function isScaling({ node, input }: { node: Node; input: number }): boolean {
  return node.op === 'Mul' || (node.op === 'LayerNormalization' && input === 1);
}

function followFloats(
  view: GraphView,
  classifierInput: string,
): { layers: number; at(node: Node): Position } {
  const attentions = new Set(findAttentionProbabilities(view).map(({ product }) => product));
  const nodes = view.graph.nodes.filter((node) => carriesFloats(view, node));
  const levels = new Map<Node, number>();
  const beyond = new Set<Node>();
  let layers = 0;
  for (const node of nodes) {
    let level = 0;
    for (const input of node.inputs) {
      const producer = view.producer(input);
      if (input === classifierInput || (producer && beyond.has(producer))) beyond.add(node);
      const below = producer && levels.get(producer);
      if (below !== undefined) level = Math.max(level, below + (attentions.has(producer!) ? 1 : 0));
    }
    levels.set(node, level);
    if (attentions.has(node)) layers = Math.max(layers, level + 1);
  }
  const gates = new Map<Node, number | 'several'>();
  for (const node of [...nodes].reverse()) {
    const gate = attentions.has(node) ? levels.get(node)! : gateOfUsers(view, node, gates);
    if (gate !== undefined) gates.set(node, gate);
  }
  return {
    layers,
    at(node) {
      const gate = gates.get(node);
      return {
        level: levels.get(node)!,
        gate: gate === 'several' ? undefined : gate,
        afterClassifierInput: beyond.has(node),
      };
    },
  };
}

/** The one attention that all users of a node's results go through; undefined for results nobody reads. */
function gateOfUsers(
  view: GraphView,
  node: Node,
  gates: ReadonlyMap<Node, number | 'several'>,
): number | 'several' | undefined {
  const found = new Set<number | 'several'>();
  for (const output of node.outputs) {
    if (view.graph.outputs.includes(output)) return 'several';
    for (const user of view.users(output)) {
      const gate = gates.get(user);
      if (gate !== undefined) found.add(gate);
    }
  }
  return found.size > 1 ? 'several' : [...found][0];
}

/** Whether a node makes floats of floats: shapes, masks and positions tell nothing of where a weight belongs. */
function carriesFloats(view: GraphView, node: Node): boolean {
  const isFloatValue = (value: string) => {
    const type = view.graph.types.get(value);
    return value !== '' && (type === undefined || isFloat(type.dtype));
  };
  return node.inputs.some(isFloatValue) && node.outputs.some(isFloatValue);
}

/** Whether a node's result has a row for each token, [rows, tokens, …] or [rows·tokens, …]. */
function hasTokens(view: GraphView, node: Node, tokens: Dim): boolean {
  const dims = view.graph.types.get(node.outputs[0]!)?.dims;
  if (dims === undefined) return true;
  return dims.length > 2 ? dims[1] !== 1 : dims[0] === tokens;
}
