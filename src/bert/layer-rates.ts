import { type Places, requireLayers } from './places.ts';

/**
 * What the learning rate of a weight is multiplied by under `--layer-lr-decay`, as Sun et al. (2019, arXiv
 * 1905.05583, section 5.3.4) have it: the top layer learns with the body's rate, every layer below with `decay`
 * times that of the one above it. The embeddings follow below the lowest layer; pooler and classifier keep their rate,
 * and a weight of several layers has that of the highest.
 *
 * @throws SesdError SESD_USAGE when the model's layers are not known
 */
export function learningRateScales(places: Places, decay: number): (weight: string) => number {
  if (decay === 1) return () => 1;
  const layers = requireLayers(places, `--layer-lr-decay ${decay}`);
  return (weight) => {
    const place = places.of.get(weight);
    if (place?.kind === 'embeddings') return decay ** layers;
    return place?.kind === 'layer' ? decay ** (layers - 1 - place.highest) : 1;
  };
}
