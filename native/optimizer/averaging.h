// Averages of a set of weights as it changes, each kept in memory of its own. What is done to them is data, so that
// the optimizer can do it to each chunk of the weights while that chunk is in the cache.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "../runtime/arena.h"

namespace sesd {

using AnyArena = std::variant<std::shared_ptr<Arena>, std::shared_ptr<Bf16Arena>>;

// x is the set of weights. Arenas are as long as x and not x itself.
struct CopyOf {  // into ← x
  AnyArena into;
};
struct Blend {  // into ← into + weight·(x − into): an exponential moving average
  std::shared_ptr<Arena> into;
  float weight;
};
struct RunningMean {  // into ← the mean of `count` sets, x the last of them; `residual` is what float32 has no room for
  std::shared_ptr<Arena> into;
  std::shared_ptr<Bf16Arena> residual;
  double count;
};
struct MeanWith {  // into ← the mean of the others and x
  std::shared_ptr<Arena> into;
  std::vector<AnyArena> others;
};
using Averaging = std::variant<CopyOf, Blend, RunningMean, MeanWith>;

size_t length_of(const AnyArena& arena);

// The elements from `first` on, `length` of them. Averages are done in their order.
void average(const std::vector<Averaging>& averages, const float* x, size_t first, size_t length);
void average(const std::vector<Averaging>& averages, const Arena& x, int threads);

// dst ← mean of the sources, of which dst may be one. Lengths are equal.
void mean(Arena& dst, const std::vector<AnyArena>& sources, int threads);

// Elements, rounded to bfloat16 and back.
void to_bf16(Bf16* to, const float* from, size_t length, int threads);
void from_bf16(float* to, const Bf16* from, size_t length, int threads);

}  // namespace sesd
