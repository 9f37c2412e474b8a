#include "arena.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "errors.h"
#include "parallel.h"

#ifdef _WIN32
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace sesd {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

void* allocate(size_t bytes, size_t alignment) {
#ifdef _WIN32
  return _aligned_malloc(bytes, alignment);
#else
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
#endif
}

void deallocate(void* memory) {
#ifdef _WIN32
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace

Arena::Arena(size_t length, int threads) : data_(nullptr), length_(length) {
  if (length > (SIZE_MAX - kHugePage) / sizeof(float)) throw Error("an arena cannot have " + std::to_string(length) + " elements");
  const size_t alignment = bytes() >= kHugePage ? kHugePage : kCacheLine;
  const size_t padded = (bytes() + alignment - 1) / alignment * alignment;
  data_ = static_cast<float*>(allocate(padded > 0 ? padded : alignment, alignment));
  if (data_ == nullptr) throw Error("not enough memory for an arena of " + std::to_string(bytes()) + " bytes");
#ifdef __linux__
  // Advice only: without huge pages everything works as before.
  if (alignment == kHugePage) madvise(data_, padded, MADV_HUGEPAGE);
#endif
  parallel_ranges(length, threads, [&](size_t first, size_t last) { std::memset(data_ + first, 0, (last - first) * sizeof(float)); });
}

Arena::~Arena() { deallocate(data_); }

}  // namespace sesd
