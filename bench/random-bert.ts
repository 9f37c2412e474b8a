import { writeFile } from 'node:fs/promises';
import { bertGraph } from '../models/bert-graph.ts';
import { normalWeights } from '../models/random-weights.ts';
import { serializeGraph } from '../src/graph/serialize.ts';

/** Layers and hidden size of the published BERTs. */
export const sizes = {
  tiny: [2, 128],
  mini: [4, 256],
  small: [4, 512],
  base: [12, 768],
  large: [24, 1024],
} as const;

export function isSize(name: string): name is keyof typeof sizes {
  return name in sizes;
}

/** Writes a BERT of a published size with random weights as an inference export. */
export async function writeBert(path: string, size: keyof typeof sizes): Promise<void> {
  const [layers, hidden] = sizes[size];
  const graph = bertGraph(
    {
      vocab_size: 30522,
      hidden_size: hidden,
      num_hidden_layers: layers,
      num_attention_heads: hidden / 64,
      intermediate_size: 4 * hidden,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      layer_norm_eps: 1e-12,
      initializer_range: 0.02,
    },
    normalWeights(1, 0.02),
  );
  await writeFile(path, serializeGraph(graph));
}
