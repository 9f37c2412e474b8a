import { type DataType, intAttribute, intsAttribute } from '../graph.ts';
import type { InferenceRule } from './node-inference.ts';
import { statisticsType } from './reductions.ts';

/** com.microsoft::SkipLayerNormalization: (y, mean, 1/σ, sum of the branches). */
export const skipLayerNormalization: InferenceRule = (at) => {
  const dims = at.dims(0);
  const statistics = dims && [...dims.slice(0, -1), 1];
  at.output(0, at.dtype(0), dims);
  at.output(1, statisticsType(at.dtype(0)), statistics);
  at.output(2, statisticsType(at.dtype(0)), statistics);
  at.output(3, at.dtype(0), dims);
};

/** com.microsoft::EmbedLayerNormalization: (y, mask index, sum of the embeddings). */
export const embedLayerNormalization: InferenceRule = (at) => {
  const ids = at.dims(0);
  const dtype = at.dtype(2);
  const dims = ids && [...ids, at.dims(2)?.[1] ?? at.fresh(0, ids.length)];
  at.output(0, dtype, dims);
  at.output(1, 'int32', ids?.slice(0, 1));
  at.output(2, dtype, dims);
};

/** com.microsoft::Attention with packed projection weights: output 0 is [batch, sequence, value hidden]. */
export const packedAttention: InferenceRule = (at) => {
  const input = at.dims(0);
  const packed = at.dims(1)?.at(-1);
  const hidden =
    intsAttribute(at.node, 'qkv_hidden_sizes')?.[2] ??
    (packed === undefined ? at.fresh(0, 2) : at.symbols.divide(packed, 3));
  at.output(0, at.dtype(0), input && [...input.slice(0, -1), at.symbols.asDim(hidden)]);
};

/** com.microsoft::MultiHeadAttention with separate query, key and value. */
export const multiHeadAttention: InferenceRule = (at) => {
  const query = at.dims(0);
  const hidden = at.has(2) && at.dims(2)?.length === 3 ? at.dims(2)!.at(-1) : query?.at(-1);
  at.output(0, at.dtype(0), query && [...query.slice(0, -1), hidden ?? at.fresh(0, 2)]);
};

/** Outputs shaped like the given inputs, in order. */
export function likeInputs(...inputs: number[]): InferenceRule {
  return (at) => {
    for (const [output, input] of inputs.entries()) at.output(output, at.dtype(input), at.dims(input));
  };
}

/** DynamicQuantizeLinear: (quantized, scale, zero point). */
export const dynamicQuantize: InferenceRule = (at) => {
  at.output(0, 'uint8', at.dims(0));
  at.output(1, 'float32', []);
  at.output(2, 'uint8', []);
};

/** QuantizeLinear: the zero point gives the type. */
export const quantize: InferenceRule = (at) => {
  const dtype: DataType | undefined = at.has(2) ? at.dtype(2) : 'uint8';
  at.output(0, dtype, at.dims(0));
};

export const dequantize: InferenceRule = (at) => at.output(0, at.dtype(1), at.dims(0));

/** com.microsoft::MatMulNBits: the quantized weight has N rows. */
export const matMulNBits: InferenceRule = (at) => {
  const n = intAttribute(at.node, 'N', 0);
  const dims = at.dims(0);
  at.output(0, at.dtype(0), dims && [...dims.slice(0, -1), n]);
};
