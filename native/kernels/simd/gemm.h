// Matrix products for operands that lie in cache.
#pragma once

#include "vec.h"

namespace sesd::SESD_SIMD {

// A factor whose elements are read one at a time, so any strides do.
struct Strided {
  const float* data;
  int64_t row;
  int64_t column;

  const float* at(int64_t i) const { return data + i * row; }
};

// Row-major rows of vectors.
struct Rows {
  float* data;
  int64_t stride;
};

// C = A·B, or C += A·B, of kRows × kVectors vectors kept in registers while k runs over `depth`.
template <int kRows, int kVectors, bool kAdd>
static inline void gemm_tile(int64_t depth, Strided a, const float* b, int64_t b_stride, float* c, int64_t c_stride) {
  Float tile[kRows][kVectors];
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kVectors; j++) tile[i][j] = kAdd ? load(c + i * c_stride + j * kLanes) : zero();
  }
  for (int64_t k = 0; k < depth; k++) {
    Float row[kVectors];
    for (int j = 0; j < kVectors; j++) row[j] = load(b + j * kLanes);
    for (int i = 0; i < kRows; i++) {
      const Float factor = splat(a.data[i * a.row]);
      for (int j = 0; j < kVectors; j++) tile[i][j] = fma(factor, row[j], tile[i][j]);
    }
    a.data += a.column;
    b += b_stride;
  }
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kVectors; j++) store(c + i * c_stride + j * kLanes, tile[i][j]);
  }
}

// The rows left when fewer than kTileRows remain: kRows of them or, by recursion, fewer.
template <int kRows, int kVectors, bool kAdd>
static inline void gemm_last_rows(int64_t rows, int64_t depth, Strided a, const float* b, int64_t b_stride, float* c,
                                  int64_t c_stride) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      gemm_tile<kRows, kVectors, kAdd>(depth, a, b, b_stride, c, c_stride);
    } else {
      gemm_last_rows<kRows - 1, kVectors, kAdd>(rows, depth, a, b, b_stride, c, c_stride);
    }
  }
}

// Columns in panels of kVectors vectors; what is left of the width in narrower ones.
template <int kVectors, bool kAdd>
static inline void gemm_panels(int64_t rows, int64_t width, int64_t depth, Strided a, Rows b, Rows c) {
  if constexpr (kVectors > 0) {
    int64_t column = 0;
    for (; column + kVectors * kLanes <= width; column += kVectors * kLanes) {
      int64_t row = 0;
      for (; row + kTileRows <= rows; row += kTileRows) {
        gemm_tile<kTileRows, kVectors, kAdd>(depth, {a.at(row), a.row, a.column}, b.data + column, b.stride,
                                             c.data + row * c.stride + column, c.stride);
      }
      gemm_last_rows<kTileRows - 1, kVectors, kAdd>(rows - row, depth, {a.at(row), a.row, a.column}, b.data + column,
                                                    b.stride, c.data + row * c.stride + column, c.stride);
    }
    gemm_panels<kVectors - 1, kAdd>(rows, width - column, depth, a, {b.data + column, b.stride},
                                    {c.data + column, c.stride});
  }
}

// C [rows, width] = A [rows, depth]·B [depth, width], or C += A·B. width is a multiple of kLanes.
template <bool kAdd = false>
static inline void gemm(int64_t rows, int64_t width, int64_t depth, Strided a, Rows b, Rows c) {
  gemm_panels<kTileVectors, kAdd>(rows, width, depth, a, b, c);
}

}  // namespace sesd::SESD_SIMD
