#include "passes.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

namespace sesd::SESD_SIMD {

double sum_of_squares(const float* x, size_t n) {
  // Lanes of a fixed number, so that every instruction set adds in the same order.
  constexpr size_t kLanes = 16;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) {
      const double value = x[i + lane];
      lanes[lane] += value * value;
    }
  }
  double sum = 0;
  for (; i < n; i++) sum += double{x[i]} * double{x[i]};
  for (size_t lane = 0; lane < kLanes; lane++) sum += lanes[lane];
  return sum;
}

namespace {

// Elements looked at together: a row of a table of embeddings holds whole ones, so words that did not occur are found.
constexpr size_t kBlock = 128;

// Whether all are +0.
bool is_zero(const float* x, size_t n) {
  constexpr size_t kLanes = 16;
  uint32_t bits[kLanes];
  for (size_t i = 0; i < n; i += kLanes) {
    const size_t lanes = n - i < kLanes ? n - i : kLanes;
    uint32_t any = 0;
    if (lanes == kLanes) {
      memcpy(bits, x + i, sizeof bits);
      for (size_t lane = 0; lane < kLanes; lane++) any |= bits[lane];
    } else {
      memcpy(bits, x + i, lanes * sizeof(float));
      for (size_t lane = 0; lane < lanes; lane++) any |= bits[lane];
    }
    if (any != 0) return false;
  }
  return true;
}

void update(float* __restrict weights, const float* __restrict gradients, float* __restrict m, float* __restrict v, size_t n,
            const AdamWCoefficients& c) {
  for (size_t i = 0; i < n; i++) {
    const float g = gradients[i] * c.gradient_scale;
    const float mi = c.beta1 * m[i] + c.one_minus_beta1 * g;
    const float vi = c.beta2 * v[i] + c.one_minus_beta2 * g * g;
    m[i] = mi;
    v[i] = vi;
    weights[i] = c.decay * weights[i] - c.step_size * mi / (sqrtf(vi) * c.variance_scale + c.epsilon);
  }
}

}  // namespace

void adamw(float* weights, const float* gradients, float* m, float* v, size_t n, const AdamWCoefficients& coefficients) {
  const AdamWCoefficients c = coefficients;
  for (size_t i = 0; i < n; i += kBlock) {
    const size_t length = n - i < kBlock ? n - i : kBlock;
    // Without a gradient and moments only the decay is left of an update, to the bit. Moments never written cost no memory.
    if (c.epsilon > 0 && is_zero(gradients + i, length) && is_zero(m + i, length) && is_zero(v + i, length)) {
      if (c.decay == 1) continue;
      for (size_t j = i; j < i + length; j++) weights[j] *= c.decay;
    } else {
      update(weights + i, gradients + i, m + i, v + i, length, c);
    }
  }
}

void add(float* out, const float* x, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] += x[i];
}

}  // namespace sesd::SESD_SIMD
