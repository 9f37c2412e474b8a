#pragma once

#include "kernel.h"

namespace sesd {

// The gradient of Gather(table, indices) on axis 0: each row of dY is added to the row of dTable it was
// read from, in order. Inputs: indices, dY, rows, the height of the table.
class EmbeddingGrad {
 public:
  static constexpr const char* kName = "EmbeddingGrad";
  static constexpr Port kInputs[] = {{ort::kInt64}, {ort::kFloat}, {ort::kInt64}};
  static constexpr Port kOutputs[] = {{ort::kFloat}};
  explicit EmbeddingGrad(const Attributes&) {}
  void compute(const Context& context) const;
};

}  // namespace sesd
