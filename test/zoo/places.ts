import assert from 'node:assert/strict';
import type { WeightReport } from '../../src/bert/inspect.ts';
import type { StoredGradients } from './record.ts';

/** The places found by structure are those that transformers' names of the parameters tell. */
export function checkPlaces(
  weights: readonly WeightReport[],
  gradients: StoredGradients,
  layers: number,
): void {
  const places = new Map(weights.map(({ name, place }) => [name, place]));
  for (const [name, gradient] of Object.entries(gradients)) {
    // Parameters of equal value are one initializer, which the importer takes apart again under new names.
    if (Array.isArray(gradient)) continue;
    assert.equal(places.get(name), placeOf(gradient.parameter, layers), `${gradient.parameter} as ${name}`);
  }
}

function placeOf(parameter: string, layers: number): string {
  const [, layer] = /\blayers?\.(\d+)\./.exec(parameter) ?? [];
  if (parameter.includes('albert_layer_groups')) return layers === 1 ? 'layer.0' : `layer.0-${layers - 1}`;
  if (layer !== undefined) return `layer.${layer}`;
  if (/\bfinal_norm\b/.test(parameter)) return `layer.${layers - 1}`;
  // DeBERTa's convolution is of the embeddings, beside its lowest layer, where it is normalized with that layer's result.
  if (/\bencoder\.conv\.LayerNorm\b/.test(parameter)) return 'layer.0';
  // Its encoder's own LayerNorm is that of the relative positions.
  if (/embedding|relative_attention_bias|encoder\.(LayerNorm|conv)\b/.test(parameter)) return 'embeddings';
  return /^classifier\.(out_proj\.)?(weight|bias)$/.test(parameter) ? 'classifier' : 'pooler';
}
