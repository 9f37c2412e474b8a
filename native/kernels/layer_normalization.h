#pragma once

#include "dropout.h"
#include "kernel.h"

namespace sesd {

// The gradient of ONNX LayerNormalization over the last axis, from its mean and invStdDev outputs.
class LayerNormalizationGrad {
 public:
  static constexpr const char* kName = "LayerNormalizationGrad";
  // dY, X, scale, mean, invStdDev
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat}, {ort::kFloat}, {ort::kFloat}, {ort::kFloat}};
  // dX, dScale, dBias
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}, {ort::kFloat, ort::kOptional}};
  explicit LayerNormalizationGrad(const Attributes&) {}
  void compute(const Context& context) const;
};

// y = LayerNormalization(dropout(x + bias) + residual).
class ResidualLayerNormalization {
 public:
  static constexpr const char* kName = "ResidualLayerNormalization";
  // x, bias, residual, scale, shift, key
  static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}, {ort::kFloat},
                                     {ort::kFloat}, {ort::kFloat},                 {ort::kInt64, ort::kOptional}};
  // y, normalized, invStdDev
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}, {ort::kFloat, ort::kOptional}};
  explicit ResidualLayerNormalization(const Attributes& attributes)
      : dropout_(kName, attributes), epsilon_(attributes.get_float("epsilon", 1e-5f)) {}
  void compute(const Context& context) const;

 private:
  DropoutAttributes dropout_;
  float epsilon_;
};

class ResidualLayerNormalizationGrad {
 public:
  static constexpr const char* kName = "ResidualLayerNormalizationGrad";
  // dY, normalized, invStdDev, scale, key
  static constexpr Port kInputs[] = {
      {ort::kFloat}, {ort::kFloat}, {ort::kFloat}, {ort::kFloat}, {ort::kInt64, ort::kOptional}};
  // dX, dBias, dResidual, dScale, dShift
  static constexpr Port kOutputs[] = {{ort::kFloat, ort::kOptional},
                                      {ort::kFloat, ort::kOptional},
                                      {ort::kFloat},
                                      {ort::kFloat, ort::kOptional},
                                      {ort::kFloat, ort::kOptional}};
  explicit ResidualLayerNormalizationGrad(const Attributes& attributes) : dropout_(kName, attributes) {}
  void compute(const Context& context) const;

 private:
  DropoutAttributes dropout_;
};

}  // namespace sesd
