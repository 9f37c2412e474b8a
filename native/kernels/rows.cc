#include "rows.h"

#include <stdexcept>

namespace sesd {

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); i++) text += (i == 0 ? "" : ",") + std::to_string(dims[i]);
  return text + "]";
}

namespace {

[[noreturn]] void refuse(const char* op, const char* what, const std::string& expected, const Dims& found) {
  throw std::invalid_argument(std::string("sesd::") + op + ": " + what + " must be " + expected + ", found " +
                              to_string(found));
}

}  // namespace

void require_shape(const char* op, const char* what, const Dims& found, const Dims& expected) {
  if (found != expected) refuse(op, what, to_string(expected), found);
}

void require_count(const char* op, const char* what, const Dims& found, int64_t expected) {
  if (element_count(found) != expected) refuse(op, what, "of " + std::to_string(expected) + " elements", found);
}

int64_t width_of(const char* op, const char* what, const Dims& dims) {
  if (dims.empty() || dims.back() == 0) refuse(op, what, "[rows, width] with a width above 0", dims);
  return dims.back();
}

int64_t rows_of(const Dims& dims) { return element_count(dims) / dims.back(); }

ColumnSums::ColumnSums(size_t blocks, int64_t width) : blocks_(blocks), width_(width) {
  static thread_local Scratch scratch;
  sums_ = scratch.reserve(static_cast<int64_t>(blocks) * width);
}

float* ColumnSums::start(size_t block) const {
  float* sums = sums_ + static_cast<int64_t>(block) * width_;
  std::fill_n(sums, width_, 0.0f);
  return sums;
}

void ColumnSums::finish(int64_t first, int64_t count, float* out) const {
  if (out == nullptr) return;
  std::fill_n(out, count, 0.0f);
  for (size_t block = 0; block < blocks_; block++) {
    const float* sums = sums_ + static_cast<int64_t>(block) * width_ + first;
    for (int64_t i = 0; i < count; i++) out[i] += sums[i];
  }
}

}  // namespace sesd
