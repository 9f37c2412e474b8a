import type { Feed } from '../engine/plan.ts';
import type { Graph } from '../graph/graph.ts';
import { FIRST_TOKENS, type Packing, TOKEN_ROWS } from '../graph/passes/pack-tokens.ts';
import type { DropoutSites } from './dropout.ts';
import { type BertInputs, batchDims } from './inputs.ts';
import { findPaddingMasks, type RunProbe } from './padding-masks.ts';

/** What a graph that leaves padding out is given of a batch, beside what its file asks for. */
export const packedFeeds: readonly Feed[] = [
  { role: 'tokenRows', name: TOKEN_ROWS, dtype: 'int64' },
  { role: 'firstTokens', name: FIRST_TOKENS, dtype: 'int64' },
];

/** Length that shows what a mask does; the longest of the model where that is less. */
const LONG = 512;

export interface KnownOfModel {
  feeds: readonly Feed[];
  sites: DropoutSites;
  /** The longest sequence its positions allow. */
  longest: number | undefined;
  /** Padding is computed where graphs cannot be run. */
  probe: RunProbe | undefined;
}

/** What `packTokens` needs to know of a model; undefined where padding cannot be left out. */
export async function findPacking(
  graph: Graph,
  inputs: BertInputs,
  { feeds, sites, longest = LONG, probe }: KnownOfModel,
): Promise<Packing | undefined> {
  const [states] = sites.embeddings;
  const { rows, length } = inputs.fixed;
  if (!probe || states === undefined || rows !== undefined || length !== undefined) return undefined;
  const masks = await findPaddingMasks(graph, { feeds, longest: Math.min(longest, LONG), run: probe });
  return { states, masks, rows: batchDims(inputs).rows };
}
