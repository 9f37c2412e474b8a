#include "attention.h"
#include "dropout.h"
#include "embedding.h"
#include "gather_elements.h"
#include "gelu.h"
#include "gemm.h"
#include "kernel.h"
#include "layer_normalization.h"

namespace sesd {

std::vector<const ort::CustomOp*> custom_ops() {
  return {
      custom_op<Dropout>(),
      custom_op<LayerNormalizationGrad>(),
      custom_op<BiasGelu>(),
      custom_op<BiasGeluGrad>(),
      custom_op<Attention>(),
      custom_op<AttentionGrad>(),
      custom_op<EmbeddingGrad>(),
      custom_op<GatherElementsGrad>(),
      custom_op<Gemm>(),
      custom_op<ResidualLayerNormalization>(),
      custom_op<ResidualLayerNormalizationGrad>(),
  };
}

}  // namespace sesd
