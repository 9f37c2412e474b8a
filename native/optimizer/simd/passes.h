// The inner loops of the optimizer, one range of one chunk each. Compiled once per instruction set.
#pragma once

#include <cstddef>

#include "../../kernels/simd.h"

namespace sesd {

// Coefficients of one AdamW update, the same for every element of a segment.
struct AdamWCoefficients {
  float gradient_scale;
  float beta1, beta2;
  float one_minus_beta1, one_minus_beta2;
  float decay;           // 1 − learning rate · weight decay
  float step_size;       // learning rate / (1 − beta1^step)
  float variance_scale;  // 1 / √(1 − beta2^step)
  float epsilon;
};

}  // namespace sesd

SESD_SIMD_DECLARE(
    // Σ x², in float64.
    double sum_of_squares(const float* x, size_t n);
    void adamw(float* weights, const float* gradients, float* m, float* v, size_t n, const AdamWCoefficients& c);
    // out ← out + x
    void add(float* out, const float* x, size_t n);)
