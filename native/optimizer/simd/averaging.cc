#include "averaging.h"

#include <string.h>

namespace sesd::SESD_SIMD {

static inline float widen(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint16_t narrow(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40u;  // rounding could turn a NaN into an infinity
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

void mean(float* out, const uint16_t* const* halves, size_t half_count, const float* const* floats, size_t float_count, size_t n) {
  constexpr size_t kBlock = 512;  // its sums stay in the first cache
  double sums[kBlock];
  const double total = static_cast<double>(half_count + float_count);
  for (size_t first = 0; first < n; first += kBlock) {
    const size_t size = n - first < kBlock ? n - first : kBlock;
    for (size_t i = 0; i < size; i++) sums[i] = 0;
    for (size_t s = 0; s < half_count; s++) {
      const uint16_t* a = halves[s] + first;
      for (size_t i = 0; i < size; i++) sums[i] += widen(a[i]);
    }
    size_t s = 0;
    for (; s + 4 <= float_count; s += 4) {
      const float *a = floats[s] + first, *b = floats[s + 1] + first, *c = floats[s + 2] + first, *d = floats[s + 3] + first;
      for (size_t i = 0; i < size; i++) sums[i] = sums[i] + a[i] + b[i] + c[i] + d[i];
    }
    for (; s < float_count; s++) {
      const float* a = floats[s] + first;
      for (size_t i = 0; i < size; i++) sums[i] += a[i];
    }
    for (size_t i = 0; i < size; i++) out[first + i] = static_cast<float>(sums[i] / total);
  }
}

void running_mean(float* __restrict mean, uint16_t* __restrict residual, const float* __restrict x, double count, size_t n) {
  const double share = 1 / count;
  for (size_t i = 0; i < n; i++) {
    const double old = double{mean[i]} + double{widen(residual[i])};
    const double value = old + share * (double{x[i]} - old);
    const float kept = static_cast<float>(value);
    mean[i] = kept;
    residual[i] = narrow(static_cast<float>(value - double{kept}));
  }
}

void blend(float* out, const float* x, float weight, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] += weight * (x[i] - out[i]);
}

void to_bf16(uint16_t* __restrict out, const float* __restrict x, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = narrow(x[i]);
}

void from_bf16(float* __restrict out, const uint16_t* __restrict x, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = widen(x[i]);
}

}  // namespace sesd::SESD_SIMD
