import type { Batch } from '../engine/engine.ts';
import type { Feed } from '../engine/plan.ts';
import type { Graph } from '../graph/graph.ts';
import { findAttentions } from '../graph/patterns/attention.ts';
import { cloneGraph, removeDeadNodes } from '../graph/rewrite.ts';
import { serializeGraph } from '../graph/serialize.ts';
import { GraphView } from '../graph/view.ts';

/** A graph without weights that is run on a batch once, for what can only be known of it by running it. */
export interface Probe {
  model: Uint8Array;
  /** What it expects of the batch. */
  feeds: readonly Feed[];
  output: string;
}

/** A float32 tensor, row-major. */
export interface ProbeResult {
  dims: readonly number[];
  data: Float32Array;
}

export type RunProbe = (probe: Probe, batch: Batch) => Promise<ProbeResult>;

/**
 * The additive masks of attention that only keep it off padding. Exporters write them in dozens of ways, and a window or
 * an order of tokens may be part of them; so they are computed for a batch of a full, a half and a nearly empty
 * sequence, as long as the model's longest.
 * @returns them, and whether one keeps the first token from seeing all others, as a decoder's does
 */
export async function findPaddingMasks(
  graph: Graph,
  { feeds, longest, run }: { feeds: readonly Feed[]; longest: number; run: RunProbe },
): Promise<{ masks: Set<string>; causal: boolean }> {
  const masks = new Set<string>();
  let causal = false;
  for (const { mask } of findAttentions(new GraphView(graph)))
    if (mask?.kind === 'additive') masks.add(mask.value);
  const lengths = [longest, Math.ceil(longest / 2), 1];
  for (const mask of masks) {
    const probe = probeOf(graph, mask, feeds);
    const result = probe && (await run(probe, batchOf(lengths)));
    if (!result || !isPadding(result, lengths)) masks.delete(mask);
    causal ||= result !== undefined && isCausal(result, longest);
  }
  return { masks, causal };
}

function probeOf(graph: Graph, output: string, feeds: readonly Feed[]): Probe | undefined {
  const cut = { ...cloneGraph(graph), outputs: [output] };
  removeDeadNodes(cut);
  const read = new Set(cut.nodes.flatMap(({ inputs }) => inputs));
  cut.inputs = cut.inputs.filter((name) => read.has(name));
  const fed = feeds.filter(({ name }) => read.has(name));
  if (cut.nodes.length === 0 || !fed.some(({ role }) => role === 'mask')) return undefined;
  return { model: serializeGraph(cut), feeds: fed, output };
}

/** Rows of the given lengths, padded to the first. */
function batchOf(lengths: readonly number[]): Batch {
  const [rows, length] = [lengths.length, lengths[0]!];
  const attentionMask = new BigInt64Array(rows * length);
  for (const [row, count] of lengths.entries()) attentionMask.fill(1n, row * length, row * length + count);
  const zeros = new BigInt64Array(rows * length);
  // masks know tokens by their mask: the ids say nothing
  return { rows, length, examples: rows, attentionMask, inputIds: zeros, tokenTypeIds: zeros };
}

/** Below the others by this much, a score's exponential is 0 in float32 whatever the scores are. */
const BELOW = 1000;

/** Whether the first token of a full sequence sees itself alone. */
function isCausal({ dims, data }: ProbeResult, length: number): boolean {
  const [queries = 1, keys = 1] = dims.slice(-2);
  if (queries < 2 || keys !== length) return false;
  for (let key = 1; key < keys; key++) if (!(data[key]! <= data[0]! - BELOW)) return false;
  return true;
}

/** Whether a mask adds the same to the scores of all tokens a query of its sequence sees, and shuts out the rest. */
function isPadding({ dims, data }: ProbeResult, lengths: readonly number[]): boolean {
  const [rows, heads, queries, keys] = [...new Array<number>(4 - dims.length).fill(1), ...dims] as [
    number,
    number,
    number,
    number,
  ];
  if (keys !== lengths[0]) return false;
  for (const [row, length] of lengths.entries()) {
    if (row >= rows) return false;
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < Math.min(queries, length); query++) {
        const at = ((row * heads + head) * queries + query) * keys;
        const open = data[at]!;
        for (let key = 0; key < keys; key++) {
          const value = data[at + key]!;
          if (key < length ? value !== open : !(value <= open - BELOW)) return false;
        }
      }
    }
  }
  return true;
}
