// Vectors of float32 (Float) and uint32 (Word), so that one source serves every instruction set.
//
// Each vec_<set>.h defines, in the set's own namespace: kLanes, the tile a matrix product keeps in registers,
// Float, Word, Mask and their operations. fma(a,b,c) = a·b + c, fnma(a,b,c) = c − a·b. max and min return
// b when either is NaN on x86, NaN on arm64: so write the value that may be NaN as b. round() is to nearest
// even. Word arithmetic is modulo 2³². transpose() turns kLanes vectors, the rows of a square, into its columns.
#pragma once

#include <math.h>
#include <stdint.h>

#if defined(__AVX512F__)
#include "vec_avx512.h"
#elif defined(__AVX2__)
#include "vec_avx2.h"
#elif defined(SESD_SIMD_WITH_NEON)  // by CMake: on arm64 no flag tells the sets apart
#include "vec_neon.h"
#else
#include "vec_portable.h"
#endif

namespace sesd::SESD_SIMD {

static inline Float zero() { return splat(0.0f); }

// All lanes, or the first n: what for_each_vector hands to its body. A part's other lanes load as 0.
struct AllLanes {};
struct FirstLanes {
  int64_t n;
};
static inline Float load(const float* p, AllLanes) { return load(p); }
static inline Float load(const float* p, FirstLanes lanes) { return load_first(p, lanes.n); }
static inline void store(float* p, Float x, AllLanes) { store(p, x); }
static inline void store(float* p, Float x, FirstLanes lanes) { store_first(p, x, lanes.n); }
static inline Float keep(Float x, AllLanes) { return x; }
static inline Float keep(Float x, FirstLanes lanes) { return keep_first(x, lanes.n); }

// Calls body(offset, lanes) for 0, kLanes, 2·kLanes, ... < n, the last time with FirstLanes if n is no
// multiple of kLanes.
template <class Body>
static inline void for_each_vector(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, AllLanes{});
  if (i < n) body(i, FirstLanes{n - i});
}

// x to the 8 significant bits of bfloat16, to nearest even. What would be too large becomes infinite; infinity and NaN stay.
static inline Float rounded_to_bf16(Float x) {
  const Word bits = bits_of(x);
  const Word even = high_half(bits) & splat(1u);
  const Float rounded = float_of((bits + even + splat(0x7fffu)) & splat(0xffff0000u));
  return select(abs(x) < splat(INFINITY), rounded, x);
}

// eˣ to 1 ulp or so; 0 below −87.33 (where float32 would be subnormal), finite above 88. NaN stays NaN.
// x = n·ln 2 + r, |r| ≤ ln 2 / 2; the polynomial is the relative minimax fit of (eʳ − 1 − r)/r², error 1e-8.
static inline Float exp(Float x) {
  const Float clamped = min(splat(88.3f), max(splat(-87.33f), x));
  const Float n = round(clamped * splat(1.44269504f));
  const Float r = fnma(n, splat(-2.12194440e-4f), fnma(n, splat(0.693359375f), clamped));
  Float p = splat(0.00139012886f);
  p = fma(p, r, splat(0.00836314633f));
  p = fma(p, r, splat(0.0416668542f));
  p = fma(p, r, splat(0.166665778f));
  p = fma(p, r, splat(0.5f));
  const Float e = times_power_of_2(fma(p, r * r, r) + splat(1.0f), n);
  return select(x < splat(-87.33f), zero(), e);
}

}  // namespace sesd::SESD_SIMD
