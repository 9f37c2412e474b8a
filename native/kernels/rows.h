// Ops that work row by row over [rows, width].
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernel.h"
#include "scratch.h"

namespace sesd {

// "[8,128,768]"
std::string to_string(const Dims& dims);

// Throws std::invalid_argument "sesd::<op>: <what> must be <expected>, found <found>" unless the shapes are equal.
void require_shape(const char* op, const char* what, const Dims& found, const Dims& expected);

// As require_shape, for the number of elements.
void require_count(const char* op, const char* what, const Dims& found, int64_t expected);

// The last dimension, and the product of the others. Throws std::invalid_argument for a scalar or a width of 0.
int64_t width_of(const char* op, const char* what, const Dims& dims);
int64_t rows_of(const Dims& dims);

// Rows are cut into this many blocks, whatever the number of threads.
inline size_t row_blocks(int64_t rows) {
  return static_cast<size_t>(std::clamp<int64_t>((rows + 31) / 32, 1, 64));
}

// Column sums over all rows: each block of rows adds up its own, then the blocks are added in order.
class ColumnSums {
 public:
  // `width` counts the columns of all sums together. Valid until this thread makes the next one.
  ColumnSums(size_t blocks, int64_t width);

  // The sums of a block, set to 0. To be called once for each block.
  float* start(size_t block) const;

  // out[i] = column first + i over all blocks, for i < count; nothing if out is null.
  void finish(int64_t first, int64_t count, float* out) const;

 private:
  size_t blocks_;
  int64_t width_;
  float* sums_;
};

}  // namespace sesd
