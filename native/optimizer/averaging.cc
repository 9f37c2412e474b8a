#include "averaging.h"

#include <cstring>

#include "../runtime/parallel.h"
#include "simd/averaging.h"

namespace sesd {

namespace {

// The sources of a mean from element `first` on.
struct Sources {
  std::vector<const Bf16*> halves;
  std::vector<const float*> floats;

  Sources(const std::vector<AnyArena>& arenas, size_t first) {
    for (const AnyArena& arena : arenas) {
      if (const auto* half = std::get_if<std::shared_ptr<Bf16Arena>>(&arena)) {
        halves.push_back((*half)->data() + first);
      } else {
        floats.push_back(std::get<std::shared_ptr<Arena>>(arena)->data() + first);
      }
    }
  }

  void mean_into(float* out, size_t length) const {
    static const auto pass = SESD_SIMD_CHOOSE(mean);
    pass(out, halves.data(), halves.size(), floats.data(), floats.size(), length);
  }
};

// One average over one range.
struct Apply {
  const float* x;  // at `first`
  size_t first, length;

  void operator()(const CopyOf& copy) const {
    static const auto narrow = SESD_SIMD_CHOOSE(to_bf16);
    if (const auto* half = std::get_if<std::shared_ptr<Bf16Arena>>(&copy.into)) {
      narrow((*half)->data() + first, x, length);
    } else {
      std::memcpy(std::get<std::shared_ptr<Arena>>(copy.into)->data() + first, x, length * sizeof(float));
    }
  }

  void operator()(const Blend& blend) const {
    static const auto pass = SESD_SIMD_CHOOSE(blend);
    pass(blend.into->data() + first, x, blend.weight, length);
  }

  void operator()(const RunningMean& mean) const {
    static const auto pass = SESD_SIMD_CHOOSE(running_mean);
    pass(mean.into->data() + first, mean.residual->data() + first, x, mean.count, length);
  }

  void operator()(const MeanWith& mean) const {
    Sources sources(mean.others, first);
    sources.floats.push_back(x);
    sources.mean_into(mean.into->data() + first, length);
  }
};

}  // namespace

size_t length_of(const AnyArena& arena) {
  return std::visit([](const auto& any) { return any->length(); }, arena);
}

void average(const std::vector<Averaging>& averages, const float* x, size_t first, size_t length) {
  for (const Averaging& each : averages) std::visit(Apply{x, first, length}, each);
}

void average(const std::vector<Averaging>& averages, const Arena& x, int threads) {
  parallel_ranges(x.length(), threads, [&](size_t first, size_t last) { average(averages, x.data() + first, first, last - first); });
}

void mean(Arena& dst, const std::vector<AnyArena>& sources, int threads) {
  parallel_ranges(dst.length(), threads,
                  [&](size_t first, size_t last) { Sources(sources, first).mean_into(dst.data() + first, last - first); });
}

void to_bf16(Bf16* to, const float* from, size_t length, int threads) {
  static const auto pass = SESD_SIMD_CHOOSE(to_bf16);
  parallel_ranges(length, threads, [&](size_t first, size_t last) { pass(to + first, from + first, last - first); });
}

void from_bf16(float* to, const Bf16* from, size_t length, int threads) {
  static const auto pass = SESD_SIMD_CHOOSE(from_bf16);
  parallel_ranges(length, threads, [&](size_t first, size_t last) { pass(to + first, from + first, last - first); });
}

}  // namespace sesd
