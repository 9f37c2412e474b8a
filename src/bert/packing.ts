import type { Feed } from '../engine/plan.ts';
import { SesdError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { FIRST_TOKENS, PADDED_TOKENS, type Packing, TOKEN_ROWS } from '../graph/passes/pack-tokens.ts';
import type { DropoutSites } from './dropout.ts';
import type { Head } from './head.ts';
import { type BertInputs, batchDims } from './inputs.ts';
import { findPaddingMasks, type RunProbe } from './padding-masks.ts';

/** What a graph that leaves padding out may be given of a batch, beside what its file asks for. */
export const packedFeeds: readonly Feed[] = [
  { role: 'tokenRows', name: TOKEN_ROWS, dtype: 'int64' },
  { role: 'firstTokens', name: FIRST_TOKENS, dtype: 'int64' },
  { role: 'paddedTokens', name: PADDED_TOKENS, dtype: 'int64' },
];

/** Length that shows what a mask does; the longest of the model where that is less. */
const LONG = 512;

/** New classifiers on the first token's state. */
const readsFirstToken: ReadonlySet<Head['kind']> = new Set(['cls', 'pooler']);

export interface KnownOfModel {
  feeds: readonly Feed[];
  head: Head;
  sites: DropoutSites;
  /** The longest sequence its positions allow. */
  longest: number | undefined;
  /** Padding is computed where graphs cannot be run. */
  probe: RunProbe | undefined;
}

/**
 * What `packTokens` needs to know of a model; undefined where padding cannot be left out.
 * @throws SesdError SESD_BAD_MODEL for a decoder that gets a classifier on its first token, as its masks show
 */
export async function findPacking(
  graph: Graph,
  inputs: BertInputs,
  { feeds, head, sites, longest = LONG, probe }: KnownOfModel,
): Promise<Packing | undefined> {
  const [states] = sites.embeddings;
  const { rows, length } = inputs.fixed;
  if (!probe || states === undefined || rows !== undefined || length !== undefined) return undefined;
  const { masks, causal } = await findPaddingMasks(graph, {
    feeds,
    longest: Math.min(longest, LONG),
    run: probe,
  });
  if (causal && readsFirstToken.has(head.kind)) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      `The model is a decoder, as GPT-2: its first token sees no other, and a classifier on that one (--head ${head.kind}) would learn nothing.`,
      { hint: 'Take an encoder, as BERT; or classify by the mean of all tokens with --head mean.' },
    );
  }
  return { states, masks, pooled: head.pooled, dims: batchDims(inputs) };
}
