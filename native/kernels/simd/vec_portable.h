// vec.h without intrinsics: arrays the compiler turns into whatever vectors its target has.
#pragma once

#include <math.h>
#include <string.h>

namespace sesd::SESD_SIMD {

constexpr int kLanes = 4;
constexpr int kTileRows = 4;
constexpr int kTileVectors = 2;

struct Float {
  float v[kLanes];
};
struct Word {
  uint32_t v[kLanes];
};
struct Mask {
  uint32_t v[kLanes];  // all bits or none
};

// A vector whose lane i is f(i).
template <class Vector, class F>
static inline Vector each_lane(const F& f) {
  Vector result;
  for (int i = 0; i < kLanes; i++) result.v[i] = f(i);
  return result;
}

static inline Word bits_of(Float x) {
  Word bits;
  memcpy(bits.v, x.v, sizeof bits.v);
  return bits;
}
static inline Float float_of(Word bits) {
  Float x;
  memcpy(x.v, bits.v, sizeof x.v);
  return x;
}

static inline Float splat(float x) { return {{x, x, x, x}}; }
static inline Word splat(uint32_t x) { return {{x, x, x, x}}; }
static inline Word lane_numbers() { return {{0, 1, 2, 3}}; }

static inline Float load(const float* p) {
  Float x;
  memcpy(x.v, p, sizeof x.v);
  return x;
}
static inline void store(float* p, Float x) { memcpy(p, x.v, sizeof x.v); }
static inline Float load_first(const float* p, int64_t n) {
  return each_lane<Float>([&](int i) { return i < n ? p[i] : 0.0f; });
}
static inline void store_first(float* p, Float x, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] = x.v[i];
}
static inline Float keep_first(Float x, int64_t n) {
  return each_lane<Float>([&](int i) { return i < n ? x.v[i] : 0.0f; });
}

static inline Float operator+(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] + b.v[i]; });
}
static inline Float operator-(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] - b.v[i]; });
}
static inline Float operator*(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] * b.v[i]; });
}
static inline Float operator/(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] / b.v[i]; });
}
static inline Float fma(Float a, Float b, Float c) { return a * b + c; }
static inline Float fnma(Float a, Float b, Float c) { return c - a * b; }
static inline Float max(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
static inline Float min(Float a, Float b) {
  return each_lane<Float>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
static inline Float abs(Float x) {
  return each_lane<Float>([&](int i) { return fabsf(x.v[i]); });
}
// Adding 1.5·2²³ leaves no room for a fraction: what is added is rounded to an integer, |x| < 2²², and
// stands in the lowest bits of the sum.
constexpr float kIntegerShift = 12582912.0f;
static inline Float round(Float x) {
  return each_lane<Float>([&](int i) { return x.v[i] + kIntegerShift - kIntegerShift; });
}
static inline Float times_power_of_2(Float x, Float n) {
  const Word shifted = bits_of(n + splat(kIntegerShift));
  return x * float_of(each_lane<Word>([&](int i) { return (shifted.v[i] + 127) << 23; }));
}

static inline Mask operator<(Float a, Float b) {
  return each_lane<Mask>([&](int i) { return a.v[i] < b.v[i] ? ~0u : 0u; });
}
static inline Float select(Mask m, Float yes, Float no) {
  const Word y = bits_of(yes), n = bits_of(no);
  return float_of(each_lane<Word>([&](int i) { return (m.v[i] & y.v[i]) | (~m.v[i] & n.v[i]); }));
}

static inline Word operator+(Word a, Word b) {
  return each_lane<Word>([&](int i) { return a.v[i] + b.v[i]; });
}
static inline Word operator*(Word a, Word b) {
  return each_lane<Word>([&](int i) { return a.v[i] * b.v[i]; });
}
static inline Word high_half(Word a) {
  return each_lane<Word>([&](int i) { return a.v[i] >> 16; });
}
static inline Word operator&(Word a, Word b) {
  return each_lane<Word>([&](int i) { return a.v[i] & b.v[i]; });
}
static inline Mask at_least(Word a, Word b) {
  return each_lane<Mask>([&](int i) { return a.v[i] >= b.v[i] ? ~0u : 0u; });
}

static inline float sum(Float x) { return (x.v[0] + x.v[1]) + (x.v[2] + x.v[3]); }
static inline float largest(Float x) {
  float best = x.v[0];
  for (int i = 1; i < kLanes; i++) best = x.v[i] > best ? x.v[i] : best;
  return best;
}

static inline void transpose(Float (&rows)[kLanes]) {
  for (int i = 0; i < kLanes; i++) {
    for (int j = 0; j < i; j++) {
      const float below = rows[i].v[j];
      rows[i].v[j] = rows[j].v[i];
      rows[j].v[i] = below;
    }
  }
}

static inline void prefetch(const float*) {}

}  // namespace sesd::SESD_SIMD
