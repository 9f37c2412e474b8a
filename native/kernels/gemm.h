#pragma once

#include "kernel.h"

namespace sesd {

// y = op(A)·op(B), B a matrix.
class Gemm {
 public:
  static constexpr const char* kName = "Gemm";
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat}};
  static constexpr Port kOutputs[] = {{ort::kFloat}};
  // Throws std::invalid_argument unless `precision` is "fp32" or "bf16".
  explicit Gemm(const Attributes& attributes);
  void compute(const Context& context) const;

 private:
  bool trans_a_;
  bool trans_b_;
  bool bf16_;
};

}  // namespace sesd
