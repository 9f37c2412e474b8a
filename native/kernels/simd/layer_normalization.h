#pragma once

#include <cstdint>

#include "../dropout_stream.h"
#include "../simd.h"

namespace sesd {

// y = normalized·scale + shift with normalized = (r − mean(r))·inv_std_dev, r = dropout(x + bias) + residual,
// row by row. Arrays are whole tensors [rows, width]; functions work on the rows they are given.
struct ResidualNormalization {
  int64_t width;
  float epsilon;
  const float* x;
  const float* bias;  // may be null
  const float* residual;
  const float* scale;
  const float* shift;
  float* y;
  float* normalized;   // may be null
  float* inv_std_dev;  // may be null
  DropoutStream stream;
};

// The gradient of either normalization.
struct NormalizationGrad {
  int64_t width;
  const float* d_y;
  const float* x;     // its input, or its normalized input if `mean` is null
  const float* mean;
  const float* inv_std_dev;
  const float* scale;
  float* d_input;     // of what was normalized
  float* d_x;         // d_input through dropout; may be null
  DropoutStream stream;
  // Column sums, added to: d_y·normalized, d_y and, unless null, d_x.
  // A caller gives each block of rows its own.
  struct Sums {
    float* d_scale;
    float* d_shift;
    float* d_bias;
  };
};

}  // namespace sesd

SESD_SIMD_DECLARE(
    void residual_layer_normalization(const ResidualNormalization& op, int64_t first, int64_t last);
    void layer_normalization_grad(const NormalizationGrad& op, int64_t first, int64_t last,
                                  const NormalizationGrad::Sums& sums);)
