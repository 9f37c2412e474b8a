#pragma once

#include "kernel.h"

namespace sesd {

// The gradient of GatherElements on the last axis: what was read of a row gets the gradients of all that read it, in order.
// Inputs: indices, dY, shape, that of the data.
class GatherElementsGrad {
 public:
  static constexpr const char* kName = "GatherElementsGrad";
  static constexpr Port kInputs[] = {{ort::kInt64}, {ort::kFloat}, {ort::kInt64}};
  static constexpr Port kOutputs[] = {{ort::kFloat}};
  explicit GatherElementsGrad(const Attributes&) {}
  void compute(const Context& context) const;
};

}  // namespace sesd
