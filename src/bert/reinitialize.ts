import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { SesdError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { filledTensor, normalTensor } from './initial-weights.ts';
import { type Places, requireLayers } from './places.ts';

export interface ReinitializeOptions {
  /** Number of layers from the top. */
  top: number;
  seed: number;
  /** Weights to leave as they are. */
  kept: ReadonlySet<string>;
}

/**
 * Gives the top layers and the pooler the weights BERT begins its pre-training with (Zhang et al. 2021, arXiv
 * 2006.05987): matrices drawn from N(0, 0.02²), biases 0, scales of a normalization 1. The draws follow from the seed
 * alone, and are others than those of a new classifier.
 *
 * @param weights names of initializers of `graph`, which get new values
 * @returns the names of those that did
 * @throws SesdError SESD_USAGE when the model has fewer layers, or the top ones share weights with those below
 */
export function reinitialize(
  graph: Graph,
  weights: readonly string[],
  places: Places,
  { top, seed, kept }: ReinitializeOptions,
): string[] {
  if (top === 0) return [];
  const layers = requireLayers(places, `--reinit-top ${top}`);
  if (top > layers) {
    throw new SesdError(
      'SESD_USAGE',
      `--reinit-top ${top}: the model has ${layers} layer${layers === 1 ? '' : 's'}.`,
    );
  }
  const generator = xoroshiro128plus(seed);
  generator.jump();
  const chosen = weights.filter((name) => !kept.has(name) && isAmongTop(name, places, layers, top));
  if (chosen.length === 0) {
    throw new SesdError('SESD_USAGE', `--reinit-top ${top}: --freeze keeps all weights of these layers.`, {
      hint: 'Leave one of the two out.',
    });
  }
  for (const name of chosen) {
    const { dims } = graph.initializers.get(name)!;
    const isVector = dims.filter((dim) => dim !== 1).length <= 1;
    const tensor = isVector
      ? filledTensor(dims, places.scales.has(name) ? 1 : 0)
      : normalTensor(dims, generator);
    graph.initializers.set(name, tensor);
  }
  return chosen;
}

function isAmongTop(name: string, places: Places, layers: number, top: number): boolean {
  const place = places.of.get(name);
  if (place?.kind !== 'layer') return place?.kind === 'pooler';
  const lowest = layers - top;
  if (place.lowest < lowest && place.highest >= lowest) {
    throw new SesdError(
      'SESD_USAGE',
      `--reinit-top ${top}: layers ${place.lowest} to ${place.highest} share their weights (${name}).`,
      { hint: `They can only begin anew together: --reinit-top ${layers - place.lowest}.` },
    );
  }
  return place.lowest >= lowest;
}
