// vec.h for AVX-512 (F, BW, VL, DQ): 16 lanes.
#pragma once

#include <immintrin.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
// GCC's own intrinsics read registers they declare undefined (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace sesd::SESD_SIMD {

constexpr int kLanes = 16;

// Registers a matrix product may fill: kTileRows × kTileVectors accumulators.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;

struct Float {
  __m512 v;
};
struct Word {
  __m512i v;
};
struct Mask {
  __mmask16 v;
};

static inline Float splat(float x) { return {_mm512_set1_ps(x)}; }
static inline Word splat(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
static inline Word lane_numbers() {
  return {_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)};
}

static inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }

static inline Float load(const float* p) { return {_mm512_loadu_ps(p)}; }
static inline void store(float* p, Float x) { _mm512_storeu_ps(p, x.v); }
static inline Float load_first(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(first_lanes(n), p)}; }
static inline void store_first(float* p, Float x, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x.v); }
static inline Float keep_first(Float x, int64_t n) { return {_mm512_maskz_mov_ps(first_lanes(n), x.v)}; }

static inline Float operator+(Float a, Float b) { return {_mm512_add_ps(a.v, b.v)}; }
static inline Float operator-(Float a, Float b) { return {_mm512_sub_ps(a.v, b.v)}; }
static inline Float operator*(Float a, Float b) { return {_mm512_mul_ps(a.v, b.v)}; }
static inline Float operator/(Float a, Float b) { return {_mm512_div_ps(a.v, b.v)}; }
static inline Float fma(Float a, Float b, Float c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
static inline Float fnma(Float a, Float b, Float c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
static inline Float max(Float a, Float b) { return {_mm512_max_ps(a.v, b.v)}; }
static inline Float min(Float a, Float b) { return {_mm512_min_ps(a.v, b.v)}; }
static inline Float abs(Float x) { return {_mm512_abs_ps(x.v)}; }
static inline Float round(Float x) {
  return {_mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
static inline Float times_power_of_2(Float x, Float n) { return {_mm512_scalef_ps(x.v, n.v)}; }

static inline Mask operator<(Float a, Float b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
static inline Float select(Mask m, Float yes, Float no) { return {_mm512_mask_mov_ps(no.v, m.v, yes.v)}; }

static inline Word operator+(Word a, Word b) { return {_mm512_add_epi32(a.v, b.v)}; }
static inline Word operator*(Word a, Word b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
static inline Word high_half(Word a) { return {_mm512_srli_epi32(a.v, 16)}; }
static inline Word operator&(Word a, Word b) { return {_mm512_and_si512(a.v, b.v)}; }
static inline Mask at_least(Word a, Word b) { return {_mm512_cmpge_epu32_mask(a.v, b.v)}; }
static inline Word bits_of(Float x) { return {_mm512_castps_si512(x.v)}; }
static inline Float float_of(Word bits) { return {_mm512_castsi512_ps(bits.v)}; }

static inline float sum(Float x) { return _mm512_reduce_add_ps(x.v); }
static inline float largest(Float x) { return _mm512_reduce_max_ps(x.v); }

// Pairs of neighbours, then pairs of pairs, become columns inside each quarter; then the quarters change places.
static inline void transpose(Float (&rows)[kLanes]) {
  __m512 pairs[kLanes], fours[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < kLanes; i += 4) {
    for (int j = 0; j < 2; j++) {
      fours[i + 2 * j] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], _MM_SHUFFLE(1, 0, 1, 0));
      fours[i + 2 * j + 1] = _mm512_shuffle_ps(pairs[i + j], pairs[i + j + 2], _MM_SHUFFLE(3, 2, 3, 2));
    }
  }
  for (int i = 0; i < 4; i++) {
    const __m512 even_low = _mm512_shuffle_f32x4(fours[i], fours[i + 4], _MM_SHUFFLE(2, 0, 2, 0));
    const __m512 odd_low = _mm512_shuffle_f32x4(fours[i], fours[i + 4], _MM_SHUFFLE(3, 1, 3, 1));
    const __m512 even_high = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], _MM_SHUFFLE(2, 0, 2, 0));
    const __m512 odd_high = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], _MM_SHUFFLE(3, 1, 3, 1));
    rows[i].v = _mm512_shuffle_f32x4(even_low, even_high, _MM_SHUFFLE(2, 0, 2, 0));
    rows[i + 4].v = _mm512_shuffle_f32x4(odd_low, odd_high, _MM_SHUFFLE(2, 0, 2, 0));
    rows[i + 8].v = _mm512_shuffle_f32x4(even_low, even_high, _MM_SHUFFLE(3, 1, 3, 1));
    rows[i + 12].v = _mm512_shuffle_f32x4(odd_low, odd_high, _MM_SHUFFLE(3, 1, 3, 1));
  }
}

static inline void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

#if defined(__AVX512BF16__)
// Lanes here are pairs of bfloat16: what is rounded (to nearest even) is `first` in the lower half, `second` in the upper.
static inline Float bf16_pairs(Float first, Float second) {
  static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512bh halves = _mm512_cvtne2ps_pbh(second.v, first.v);
  __m512i bits;
  memcpy(&bits, &halves, sizeof bits);
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_loadu_si512(order), bits))};
}
// The pairs of 32 neighbours.
static inline Float bf16_neighbours(Float low, Float high) {
  const __m512bh pairs = _mm512_cvtne2ps_pbh(high.v, low.v);
  Float result;
  memcpy(&result.v, &pairs, sizeof result.v);
  return result;
}
// c + a₁·b₁ + a₂·b₂ of pairs, in float32.
static inline Float dot_pairs(Float a, Float b, Float c) {
  __m512bh left, right;
  memcpy(&left, &a.v, sizeof left);
  memcpy(&right, &b.v, sizeof right);
  return {_mm512_dpbf16_ps(c.v, left, right)};
}
#endif

}  // namespace sesd::SESD_SIMD
