// vec.h for AVX-512 (F, BW, VL, DQ): 16 lanes.
#pragma once

#include <immintrin.h>

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
static inline Mask at_least(Word a, Word b) { return {_mm512_cmpge_epu32_mask(a.v, b.v)}; }

static inline float sum(Float x) { return _mm512_reduce_add_ps(x.v); }
static inline float largest(Float x) { return _mm512_reduce_max_ps(x.v); }

}  // namespace sesd::SESD_SIMD
