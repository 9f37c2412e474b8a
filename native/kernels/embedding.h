#pragma once

#include "kernel.h"

namespace sesd {

// The gradient of Gather(table, indices) on axis 0: each row of dY is added to the row of dTable it was
// read from, in order.
class EmbeddingGrad {
 public:
  static constexpr const char* kName = "EmbeddingGrad";
  static constexpr Port kInputs[] = {{ort::kInt64}, {ort::kFloat}};
  static constexpr Port kOutputs[] = {{ort::kFloat}};
  // Throws std::invalid_argument unless `rows`, the height of the table, is at least 1.
  explicit EmbeddingGrad(const Attributes& attributes);
  void compute(const Context& context) const;

 private:
  int64_t rows_;
};

}  // namespace sesd
