#include "gelu.h"

#include "vec.h"

namespace sesd::SESD_SIMD {

namespace {

struct ValueAndDerivative {
  Float value;
  Float derivative;
};

// Φ(x) = 1 − ½erfc(x/√2) for x ≥ 0, and ½erfc(|x|/√2) below: no cancellation in the left tail. ½erfc(z) =
// exp(−z²)·t·P(t) with t = 1/(1 + 0.37z), P the relative minimax fit on z in [0, 9.5], error 2e-8; beyond,
// exp(−z²) is 0. The derivative Φ(x) + x·φ(x) has the same exponential.
struct ErfGelu {
  ValueAndDerivative operator()(Float x) const {
    const Float t = splat(1.0f) / fma(abs(x), splat(0.37f * 0.707106781f), splat(1.0f));
    const Float e = exp(x * x * splat(-0.5f));
    Float p = splat(0.030961221f);
    p = fma(p, t, splat(-0.151634961f));
    p = fma(p, t, splat(0.243417799f));
    p = fma(p, t, splat(-0.142652452f));
    p = fma(p, t, splat(0.155398652f));
    p = fma(p, t, splat(0.0532611422f));
    p = fma(p, t, splat(0.103126772f));
    p = fma(p, t, splat(0.10371495f));
    p = fma(p, t, splat(0.104406871f));
    const Float tail = p * t * e;
    const Float cdf = select(x < zero(), tail, splat(1.0f) - tail);
    return {x * cdf, fma(x * splat(0.398942280f), e, cdf)};
  }
};

// ½(1 + tanh u) = 1/(1 + exp(−2u)).
struct TanhGelu {
  ValueAndDerivative operator()(Float x) const {
    const Float square = x * x;
    // −2u = −2√(2/π)·x·(1 + 0.044715x²), and its derivative
    const Float scaled = splat(-1.59576912f) * x;
    const Float e = exp(scaled * fma(splat(0.044715f), square, splat(1.0f)));
    const Float slope = splat(1.59576912f) * fma(splat(3 * 0.044715f), square, splat(1.0f));
    const Float cdf = splat(1.0f) / (splat(1.0f) + e);
    const Float value = x * cdf;
    return {value, fma(value * (e * cdf), slope, cdf)};
  }
};

template <class Gelu>
void rows_of(const Gelu& gelu, const float* x, const float* bias, float* value, float* derivative, int64_t rows,
             int64_t width) {
  for (int64_t row = 0; row < rows; row++) {
    for_each_vector(width, [&](int64_t i, auto lanes) {
      Float input = load(x + i, lanes);
      if (bias != nullptr) input = input + load(bias + i, lanes);
      const ValueAndDerivative result = gelu(input);
      store(value + i, result.value, lanes);
      if (derivative != nullptr) store(derivative + i, result.derivative, lanes);
    });
    x += width, value += width;
    if (derivative != nullptr) derivative += width;
  }
}

}  // namespace

void bias_gelu(const float* x, const float* bias, float* value, float* derivative, int64_t rows, int64_t width,
               bool approximate) {
  if (approximate) {
    rows_of(TanhGelu{}, x, bias, value, derivative, rows, width);
  } else {
    rows_of(ErfGelu{}, x, bias, value, derivative, rows, width);
  }
}

void bias_gelu_grad(const float* d_y, const float* derivative, float* d_x, float* d_bias, int64_t rows,
                    int64_t width) {
  for (int64_t row = 0; row < rows; row++) {
    for_each_vector(width, [&](int64_t i, auto lanes) {
      const Float d = load(d_y + i, lanes) * load(derivative + i, lanes);
      store(d_x + i, d, lanes);
      if (d_bias != nullptr) store(d_bias + i, load(d_bias + i, lanes) + d, lanes);
    });
    d_y += width, derivative += width, d_x += width;
  }
}

}  // namespace sesd::SESD_SIMD
