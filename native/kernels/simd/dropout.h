#pragma once

#include <cstdint>

#include "../dropout_stream.h"
#include "../simd.h"

SESD_SIMD_DECLARE(
    // y[i] = kept(first + i) ? x[i]·factor : 0 for i < n. y may be x.
    void dropout(const float* x, float* y, int64_t n, int64_t first, const DropoutStream& stream);)
