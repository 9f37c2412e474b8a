// Instruction sets and the choice between them.
//
// CMake compiles every file of simd/ once per instruction set of the target (x86-64: portable = SSE2, avx2 =
// AVX2 + FMA, avx512 = F + BW + VL + DQ, avx512_bf16 = those + BF16; arm64: portable, neon; elsewhere: portable), each
// time with -DSESD_SIMD=<name>. Such a file puts its functions into `namespace sesd::SESD_SIMD`. A header declares them for all
// sets with
//
//   SESD_SIMD_DECLARE(void bias_gelu_row(const float* x, ...);)
//
// and callers go through the choice made when the addon was loaded:
//
//   static const auto bias_gelu_row = SESD_SIMD_CHOOSE(bias_gelu_row);
//
// The linker keeps one copy of an inline function, whichever file it came from. So files of simd/ use no
// inline or template function of others (no <vector>, <algorithm>, <string>): intrinsics, builtins, static functions and
// the C library's only. Otherwise AVX-512 code could run on a machine without it.
#pragma once

namespace sesd {

enum class Simd { kPortable, kAvx2, kAvx512, kAvx512Bf16, kNeon };

// The best set this machine and this build have. The environment variable SESD_SIMD (portable, avx2, …) forces
// a lower one; it is read once. Throws std::runtime_error when it names one that cannot run here.
Simd simd();

// "portable", "avx2", "avx512", "avx512_bf16" or "neon".
const char* simd_name();

}  // namespace sesd

// SESD_SIMD_X86, SESD_SIMD_ARM64: defined by CMake with the sets it compiles.
#if defined(SESD_SIMD_X86)
#define SESD_SIMD_DECLARE(...)       \
  namespace sesd::portable { __VA_ARGS__ } \
  namespace sesd::avx2 { __VA_ARGS__ }     \
  namespace sesd::avx512 { __VA_ARGS__ }   \
  namespace sesd::avx512_bf16 { __VA_ARGS__ }
#define SESD_SIMD_CHOOSE(function)                                             \
  (::sesd::simd() == ::sesd::Simd::kAvx512Bf16 ? ::sesd::avx512_bf16::function \
   : ::sesd::simd() == ::sesd::Simd::kAvx512   ? ::sesd::avx512::function      \
   : ::sesd::simd() == ::sesd::Simd::kAvx2     ? ::sesd::avx2::function        \
                                               : ::sesd::portable::function)
#elif defined(SESD_SIMD_ARM64)
#define SESD_SIMD_DECLARE(...)       \
  namespace sesd::portable { __VA_ARGS__ } \
  namespace sesd::neon { __VA_ARGS__ }
#define SESD_SIMD_CHOOSE(function) (::sesd::simd() == ::sesd::Simd::kNeon ? ::sesd::neon::function : ::sesd::portable::function)
#else
#define SESD_SIMD_DECLARE(...) \
  namespace sesd::portable { __VA_ARGS__ }
#define SESD_SIMD_CHOOSE(function) (::sesd::portable::function)
#endif
