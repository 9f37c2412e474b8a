// The inner loops of averages over sets of weights, one range each. Compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../kernels/simd.h"

SESD_SIMD_DECLARE(
    // out ← the mean of bfloat16 and float32 sources, summed in float64 in their order, bfloat16 first. out may be one of them.
    void mean(float* out, const uint16_t* const* halves, size_t half_count, const float* const* floats, size_t float_count, size_t n);
    // mean + residual ← (mean + residual) + (x − (mean + residual)) / count, in float64; the residual is what float32 has no
    // room for. After n sets the mean is within n·2⁻³⁴ of itself; without a residual it would be n·2⁻²⁴.
    void running_mean(float* mean, uint16_t* residual, const float* x, double count, size_t n);
    // out ← out + weight·(x − out)
    void blend(float* out, const float* x, float weight, size_t n);
    // To bfloat16, to the nearest, ties to even.
    void to_bf16(uint16_t* out, const float* x, size_t n);
    void from_bf16(float* out, const uint16_t* x, size_t n);)
