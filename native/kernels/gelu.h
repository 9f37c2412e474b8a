#pragma once

#include "kernel.h"

namespace sesd {

// y = gelu(x + bias), and the derivative gelu'(x + bias) for the gradient.
class BiasGelu {
 public:
  static constexpr const char* kName = "BiasGelu";
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}};
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}};
  // Throws std::invalid_argument unless `approximate` is "none" or "tanh".
  explicit BiasGelu(const Attributes& attributes);
  void compute(const Context& context) const;

 private:
  bool approximate_;
};

// dX = dY·derivative, dBias its column sums.
class BiasGeluGrad {
 public:
  static constexpr const char* kName = "BiasGeluGrad";
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat}};
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}};
  explicit BiasGeluGrad(const Attributes&) {}
  void compute(const Context& context) const;
};

}  // namespace sesd
