// vec.h for AVX2 with FMA: 8 lanes.
#pragma once

#include <immintrin.h>

namespace sesd::SESD_SIMD {

constexpr int kLanes = 8;
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;

struct Float {
  __m256 v;
};
struct Word {
  __m256i v;
};
struct Mask {
  __m256 v;
};

static inline Float splat(float x) { return {_mm256_set1_ps(x)}; }
static inline Word splat(uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
static inline Word lane_numbers() { return {_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0)}; }

static inline __m256i first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane_numbers().v);
}

static inline Float load(const float* p) { return {_mm256_loadu_ps(p)}; }
static inline void store(float* p, Float x) { _mm256_storeu_ps(p, x.v); }
static inline Float load_first(const float* p, int64_t n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
static inline void store_first(float* p, Float x, int64_t n) { _mm256_maskstore_ps(p, first_lanes(n), x.v); }
static inline Float keep_first(Float x, int64_t n) {
  return {_mm256_and_ps(x.v, _mm256_castsi256_ps(first_lanes(n)))};
}

static inline Float operator+(Float a, Float b) { return {_mm256_add_ps(a.v, b.v)}; }
static inline Float operator-(Float a, Float b) { return {_mm256_sub_ps(a.v, b.v)}; }
static inline Float operator*(Float a, Float b) { return {_mm256_mul_ps(a.v, b.v)}; }
static inline Float operator/(Float a, Float b) { return {_mm256_div_ps(a.v, b.v)}; }
static inline Float fma(Float a, Float b, Float c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
static inline Float fnma(Float a, Float b, Float c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
static inline Float max(Float a, Float b) { return {_mm256_max_ps(a.v, b.v)}; }
static inline Float min(Float a, Float b) { return {_mm256_min_ps(a.v, b.v)}; }
static inline Float abs(Float x) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x.v)}; }
static inline Float round(Float x) {
  return {_mm256_round_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
static inline Float times_power_of_2(Float x, Float n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return {_mm256_mul_ps(x.v, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
}

static inline Mask operator<(Float a, Float b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
static inline Float select(Mask m, Float yes, Float no) { return {_mm256_blendv_ps(no.v, yes.v, m.v)}; }

static inline Word operator+(Word a, Word b) { return {_mm256_add_epi32(a.v, b.v)}; }
static inline Word operator*(Word a, Word b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
static inline Word high_half(Word a) { return {_mm256_srli_epi32(a.v, 16)}; }
static inline Word operator&(Word a, Word b) { return {_mm256_and_si256(a.v, b.v)}; }
static inline Mask at_least(Word a, Word b) {
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a.v, b.v), a.v))};
}
static inline Word bits_of(Float x) { return {_mm256_castps_si256(x.v)}; }
static inline Float float_of(Word bits) { return {_mm256_castsi256_ps(bits.v)}; }

static inline float sum(Float x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline float largest(Float x) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

// Pairs of neighbours, then pairs of pairs, become columns inside each half; then the halves change places.
static inline void transpose(Float (&rows)[kLanes]) {
  __m256 pairs[kLanes], fours[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < kLanes; i += 4) {
    for (int j = 0; j < 2; j++) {
      fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], _MM_SHUFFLE(1, 0, 1, 0));
      fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], _MM_SHUFFLE(3, 2, 3, 2));
    }
  }
  for (int i = 0; i < 4; i++) {
    rows[i].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    rows[i + 4].v = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

static inline void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

}  // namespace sesd::SESD_SIMD
