import { biasGelu } from './bias-gelu.ts';
import { embedLayerNormalization } from './embed-layer-normalization.ts';
import { fastGelu } from './fast-gelu.ts';
import { fusedGemm } from './fused-gemm.ts';
import { fusedMatMul } from './fused-matmul.ts';
import { gelu } from './gelu.ts';
import type { Lowering } from './lowering.ts';
import { multiHeadAttention } from './multi-head-attention.ts';
import { packedAttention } from './packed-attention.ts';
import { quickGelu } from './quick-gelu.ts';
import {
  simplifiedLayerNormalization,
  skipSimplifiedLayerNormalization,
} from './simplified-layer-normalization.ts';
import { skipLayerNormalization } from './skip-layer-normalization.ts';

/** How each op that is not in the canonical opset is spelled there, by op name. */
export const lowerings: Readonly<Record<string, Lowering>> = {
  Gelu: gelu,
  // The runtime keeps it in the domain of ai.onnx, which has no such op.
  SimplifiedLayerNormalization: simplifiedLayerNormalization,
  'com.microsoft::Attention': packedAttention,
  'com.microsoft::BiasGelu': biasGelu,
  'com.microsoft::EmbedLayerNormalization': embedLayerNormalization,
  'com.microsoft::FastGelu': fastGelu,
  'com.microsoft::FusedGemm': fusedGemm,
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::Gelu': gelu,
  'com.microsoft::MultiHeadAttention': multiHeadAttention,
  'com.microsoft::QuickGelu': quickGelu,
  'com.microsoft::SkipLayerNormalization': skipLayerNormalization,
  'com.microsoft::SkipSimplifiedLayerNormalization': skipSimplifiedLayerNormalization,
};
