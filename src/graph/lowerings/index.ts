import { attention } from './attention.ts';
import { biasGelu } from './bias-gelu.ts';
import { castLike } from './cast-like.ts';
import { embedLayerNormalization } from './embed-layer-normalization.ts';
import { fastGelu } from './fast-gelu.ts';
import { fusedGemm } from './fused-gemm.ts';
import { fusedMatMul } from './fused-matmul.ts';
import { gelu } from './gelu.ts';
import type { Lowering } from './lowering.ts';
import { multiHeadAttention } from './multi-head-attention.ts';
import { packedAttention } from './packed-attention.ts';
import { contribRotaryEmbedding, rotaryEmbedding } from './rotary-embedding.ts';
import {
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
} from './simplified-layer-normalization.ts';
import { skipLayerNormalization } from './skip-layer-normalization.ts';
import { quickGelu, swish } from './swish.ts';

/** How each op that is not in the canonical opset is spelled there, by op name. */
export const lowerings: Readonly<Record<string, Lowering>> = {
  Attention: attention,
  CastLike: castLike,
  Gelu: gelu,
  RMSNormalization: simplifiedLayerNormalization,
  RotaryEmbedding: rotaryEmbedding,
  // The runtime keeps it in the domain of ai.onnx, which has no such op.
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  Swish: swish,
  'com.microsoft::Attention': packedAttention,
  'com.microsoft::BiasGelu': biasGelu,
  'com.microsoft::EmbedLayerNormalization': embedLayerNormalization,
  'com.microsoft::FastGelu': fastGelu,
  'com.microsoft::FusedGemm': fusedGemm,
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::Gelu': gelu,
  'com.microsoft::MultiHeadAttention': multiHeadAttention,
  'com.microsoft::QuickGelu': quickGelu,
  'com.microsoft::RotaryEmbedding': contribRotaryEmbedding,
  'com.microsoft::SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipSimplifiedLayerNormalization,
};
