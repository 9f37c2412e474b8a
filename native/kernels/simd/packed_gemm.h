#pragma once

#include <cstdint>

#include "../simd.h"

namespace sesd {

// C [rows, columns] = op(A)·op(B), summed over `depth`. All row-major without gaps: A is [rows, depth], or [depth, rows] if
// trans_a; B is [depth, columns], or [columns, depth] if trans_b.
struct GemmCall {
  int64_t rows;
  int64_t columns;
  int64_t depth;
  const float* a;
  const float* b;
  float* c;
  bool trans_a;
  bool trans_b;
  // Elements of A and B are rounded to bfloat16; products and sums stay in float32.
  bool bf16;
};

// [first, last) of the rows, columns or depth.
struct Span {
  int64_t first;
  int64_t last;

  int64_t size() const { return last - first; }
};

// Columns are packed by whole panels of this many, which every set's tiles divide.
constexpr int64_t kGemmPanel = 64;

// Packing writes at most this many floats beyond what it packs.
constexpr int64_t kGemmSlack = 16;

}  // namespace sesd

SESD_SIMD_DECLARE(
    // Numbers along the depth that one packed float holds: 2 where this set multiplies pairs of bfloat16, else 1.
    int gemm_depth_per_float(bool bf16);
    // Packs op(B) of some columns, the first a multiple of kGemmPanel, to kGemmPanel·(depth / gemm_depth_per_float, rounded up)
    // floats for each panel.
    void gemm_pack(const GemmCall& op, Span columns, Span depth, float* packed);
    // The part of C that the rows and columns span, from those of op(B) packed: set if the depth begins at 0, else added to.
    // scratch: (rows + 8)·(depth / gemm_depth_per_float, rounded up) + kGemmSlack floats, for op(A) packed.
    void gemm_multiply(const GemmCall& op, Span rows, Span columns, Span depth, const float* packed, float* scratch);)
