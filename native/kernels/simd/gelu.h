#pragma once

#include <cstdint>

#include "../simd.h"

SESD_SIMD_DECLARE(
    // value = gelu(x + bias) and derivative = gelu'(x + bias) of `rows` rows of `width`. bias and
    // derivative may be null.
    // gelu(x) = x·Φ(x), with Φ by erf, or by tanh(√(2/π)(x + 0.044715x³)) if `approximate`.
    void bias_gelu(const float* x, const float* bias, float* value, float* derivative, int64_t rows,
                   int64_t width, bool approximate);
    // dX = dY·derivative; its column sums are added to d_bias [width] unless that is null.
    void bias_gelu_grad(const float* d_y, const float* derivative, float* d_x, float* d_bias, int64_t rows,
                        int64_t width);)
