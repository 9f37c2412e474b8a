#include "simd.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#if defined(SESD_SIMD_X86) && defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#elif defined(SESD_SIMD_X86)
#include <cpuid.h>
#endif

namespace sesd {

namespace {

#if defined(SESD_SIMD_X86)
// Of register eax of cpuid's leaf 7, part 1. A compiler without these instructions has made avx512_bf16 the same as avx512.
bool has_bf16(unsigned int eax) {
#if defined(SESD_SIMD_WITHOUT_BF16)
  return false && eax != 0;
#else
  return (eax >> 5) & 1;
#endif
}
#endif

#if defined(SESD_SIMD_X86) && defined(_MSC_VER)
// cpuid says what the processor has, xgetbv what the system saves on a task switch.
Simd best() {
  int leaf[4];
  __cpuid(leaf, 1);
  const bool fma = (leaf[2] >> 12) & 1, osxsave = (leaf[2] >> 27) & 1;
  if (!osxsave || !fma) return Simd::kPortable;
  const unsigned long long saved = _xgetbv(0);
  __cpuidex(leaf, 7, 0);
  const auto has = [&](int bit) { return (leaf[1] >> bit) & 1; };
  const bool avx512 = has(16) && has(17) && has(30) && has(31);
  if (avx512 && (saved & 0xe6) == 0xe6) {
    __cpuidex(leaf, 7, 1);
    return has_bf16(leaf[0]) ? Simd::kAvx512Bf16 : Simd::kAvx512;
  }
  return has(5) && (saved & 6) == 6 ? Simd::kAvx2 : Simd::kPortable;
}
#elif defined(SESD_SIMD_X86)
Simd best() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx2 && avx512) {
    // __builtin_cpu_supports knows BF16 in newer compilers only.
    unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx);
    return has_bf16(eax) ? Simd::kAvx512Bf16 : Simd::kAvx512;
  }
  return avx2 ? Simd::kAvx2 : Simd::kPortable;
}
#elif defined(SESD_SIMD_ARM64)
Simd best() { return Simd::kNeon; }
#else
Simd best() { return Simd::kPortable; }
#endif

// Each includes the ones before it.
#if defined(SESD_SIMD_X86)
constexpr Simd kCompiled[] = {Simd::kPortable, Simd::kAvx2, Simd::kAvx512, Simd::kAvx512Bf16};
#elif defined(SESD_SIMD_ARM64)
constexpr Simd kCompiled[] = {Simd::kPortable, Simd::kNeon};
#else
constexpr Simd kCompiled[] = {Simd::kPortable};
#endif

const char* name_of(Simd simd) {
  switch (simd) {
    case Simd::kAvx2: return "avx2";
    case Simd::kAvx512: return "avx512";
    case Simd::kAvx512Bf16: return "avx512_bf16";
    case Simd::kNeon: return "neon";
    case Simd::kPortable: break;
  }
  return "portable";
}

Simd choose() {
  const Simd most = best();
  const char* wanted = std::getenv("SESD_SIMD");
  if (wanted == nullptr || *wanted == '\0') return most;
  for (const Simd simd : kCompiled) {
    if (simd <= most && std::strcmp(wanted, name_of(simd)) == 0) return simd;
  }
  throw std::runtime_error(std::string("SESD_SIMD=") + wanted + " cannot run here; the best this machine has is " +
                           name_of(most));
}

}  // namespace

Simd simd() {
  static const Simd chosen = choose();
  return chosen;
}

const char* simd_name() { return name_of(simd()); }

}  // namespace sesd
