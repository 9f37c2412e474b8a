#pragma once

#include "dropout_stream.h"
#include "kernel.h"

namespace sesd {

// The attributes `ratio` and `site` of every op that drops out.
class DropoutAttributes {
 public:
  // Throws std::invalid_argument unless ratio is in [0, 1).
  DropoutAttributes(const char* op, const Attributes& attributes);

  // With the key in an input of the call; off when that is absent or ratio is 0.
  DropoutStream stream(const Context& context, size_t key_input) const;

 private:
  const char* op_;
  float ratio_;
  uint32_t site_;
};

// y = dropout(x).
class Dropout {
 public:
  static constexpr const char* kName = "Dropout";
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kInt64, ort::kOptional}};
  static constexpr Port kOutputs[] = {{ort::kFloat}};
  explicit Dropout(const Attributes& attributes) : dropout_(kName, attributes) {}
  void compute(const Context& context) const;

 private:
  DropoutAttributes dropout_;
};

}  // namespace sesd
