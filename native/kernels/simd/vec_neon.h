// vec.h for NEON on arm64: 4 lanes.
#pragma once

#include <arm_neon.h>

namespace sesd::SESD_SIMD {

constexpr int kLanes = 4;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;

struct Float {
  float32x4_t v;
};
struct Word {
  uint32x4_t v;
};
struct Mask {
  uint32x4_t v;
};

static inline Float splat(float x) { return {vdupq_n_f32(x)}; }
static inline Word splat(uint32_t x) { return {vdupq_n_u32(x)}; }
static inline Word lane_numbers() {
  static const uint32_t numbers[4] = {0, 1, 2, 3};
  return {vld1q_u32(numbers)};
}

static inline Float load(const float* p) { return {vld1q_f32(p)}; }
static inline void store(float* p, Float x) { vst1q_f32(p, x.v); }
static inline Float load_first(const float* p, int64_t n) {
  float lanes[4] = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; i++) lanes[i] = p[i];
  return {vld1q_f32(lanes)};
}
static inline void store_first(float* p, Float x, int64_t n) {
  float lanes[4];
  vst1q_f32(lanes, x.v);
  for (int64_t i = 0; i < n; i++) p[i] = lanes[i];
}
static inline Float keep_first(Float x, int64_t n) {
  const uint32x4_t kept = vcltq_u32(lane_numbers().v, vdupq_n_u32(static_cast<uint32_t>(n)));
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x.v), kept))};
}

static inline Float operator+(Float a, Float b) { return {vaddq_f32(a.v, b.v)}; }
static inline Float operator-(Float a, Float b) { return {vsubq_f32(a.v, b.v)}; }
static inline Float operator*(Float a, Float b) { return {vmulq_f32(a.v, b.v)}; }
static inline Float operator/(Float a, Float b) { return {vdivq_f32(a.v, b.v)}; }
static inline Float fma(Float a, Float b, Float c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
static inline Float fnma(Float a, Float b, Float c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
static inline Float max(Float a, Float b) { return {vmaxq_f32(a.v, b.v)}; }
static inline Float min(Float a, Float b) { return {vminq_f32(a.v, b.v)}; }
static inline Float abs(Float x) { return {vabsq_f32(x.v)}; }
static inline Float round(Float x) { return {vrndnq_f32(x.v)}; }
static inline Float times_power_of_2(Float x, Float n) {
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(127));
  return {vmulq_f32(x.v, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)))};
}

static inline Mask operator<(Float a, Float b) { return {vcltq_f32(a.v, b.v)}; }
static inline Float select(Mask m, Float yes, Float no) { return {vbslq_f32(m.v, yes.v, no.v)}; }

static inline Word operator+(Word a, Word b) { return {vaddq_u32(a.v, b.v)}; }
static inline Word operator*(Word a, Word b) { return {vmulq_u32(a.v, b.v)}; }
static inline Word high_half(Word a) { return {vshrq_n_u32(a.v, 16)}; }
static inline Word operator&(Word a, Word b) { return {vandq_u32(a.v, b.v)}; }
static inline Mask at_least(Word a, Word b) { return {vcgeq_u32(a.v, b.v)}; }
static inline Word bits_of(Float x) { return {vreinterpretq_u32_f32(x.v)}; }
static inline Float float_of(Word bits) { return {vreinterpretq_f32_u32(bits.v)}; }

static inline float sum(Float x) { return vaddvq_f32(x.v); }
static inline float largest(Float x) { return vmaxvq_f32(x.v); }

static inline void transpose(Float (&rows)[kLanes]) {
  const float32x4x2_t first = vtrnq_f32(rows[0].v, rows[1].v), second = vtrnq_f32(rows[2].v, rows[3].v);
  for (int i = 0; i < 2; i++) {
    rows[i].v = vcombine_f32(vget_low_f32(first.val[i]), vget_low_f32(second.val[i]));
    rows[i + 2].v = vcombine_f32(vget_high_f32(first.val[i]), vget_high_f32(second.val[i]));
  }
}

static inline void prefetch(const float*) {}  // the processor sees the stream itself

}  // namespace sesd::SESD_SIMD
