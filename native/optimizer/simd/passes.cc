#include "passes.h"

#include <math.h>

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

void adamw(float* __restrict weights, const float* __restrict gradients, float* __restrict m, float* __restrict v, size_t n,
           const AdamWCoefficients& coefficients) {
  const AdamWCoefficients c = coefficients;
  for (size_t i = 0; i < n; i++) {
    const float g = gradients[i] * c.gradient_scale;
    const float mi = c.beta1 * m[i] + c.one_minus_beta1 * g;
    const float vi = c.beta2 * v[i] + c.one_minus_beta2 * g * g;
    m[i] = mi;
    v[i] = vi;
    weights[i] = c.decay * weights[i] - c.step_size * mi / (sqrtf(vi) * c.variance_scale + c.epsilon);
  }
}

void add(float* out, const float* x, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] += x[i];
}

}  // namespace sesd::SESD_SIMD
