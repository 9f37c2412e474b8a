#pragma once

#include "dropout.h"
#include "kernel.h"

namespace sesd {

struct AttentionCall;

class AttentionAttributes {
 public:
  AttentionAttributes(const char* op, const Attributes& attributes);

  // The call's shapes, strides and inputs: q, k, v, mask and key are inputs 0 to 4 of both ops, firsts the given one, bias
  // the one behind.
  AttentionCall describe(const Context& context, size_t firsts_input) const;

 private:
  const char* op_;
  DropoutAttributes dropout_;
  int64_t heads_;
  float scale_;
};

// q, k, v, mask, key, firsts, bias: context = dropout(softmax(scale·q·kᵀ + mask + bias))·v by heads, and the log-sum-exp of
// each query's scores.
class Attention {
 public:
  static constexpr const char* kName = "Attention";
  static constexpr Port kInputs[] = {{ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kFloat, ort::kOptional},
                                     {ort::kInt64, ort::kOptional},
                                     {ort::kInt64, ort::kOptional},
                                     {ort::kFloat, ort::kOptional}};
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}};
  explicit Attention(const Attributes& attributes) : attributes_(kName, attributes) {}
  void compute(const Context& context) const;

 private:
  AttentionAttributes attributes_;
};

// dQ, dK, dV and dBias from dContext; the probabilities are computed again.
class AttentionGrad {
 public:
  static constexpr const char* kName = "AttentionGrad";
  // q, k, v, mask, key, context, logSumExp, dContext, firsts, bias
  static constexpr Port kInputs[] = {{ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kFloat, ort::kOptional},
                                     {ort::kInt64, ort::kOptional},
                                     {ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kFloat},
                                     {ort::kInt64, ort::kOptional},
                                     {ort::kFloat, ort::kOptional}};
  static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat}, {ort::kFloat}, {ort::kFloat, ort::kOptional}};
  explicit AttentionGrad(const Attributes& attributes) : attributes_(kName, attributes) {}
  void compute(const Context& context) const;

 private:
  AttentionAttributes attributes_;
};

}  // namespace sesd
