// Single passes over arenas: copies, sums, and AdamW. All block, work on several threads, and give the
// same bits whatever their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../runtime/arena.h"
#include "averaging.h"

namespace sesd {

void fill(Arena& arena, float value, int threads);
// Elements, copied between memory that does not overlap.
void copy(float* to, const float* from, size_t length, int threads);

// dst ← dst + src
void add(Arena& dst, const Arena& src, int threads);

// A range of the arenas and the rates it is updated with.
struct Segment {
  size_t offset, length;
  double learning_rate, weight_decay;
};

struct AdamWStep {
  std::vector<Segment> segments;  // disjoint
  double beta1, beta2, epsilon;
  int64_t step;  // 1-based
  double max_grad_norm;
  std::vector<Averaging> before, after;  // of the weights' elements in the segments, before and after they change
};

// AdamW with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2, with the decay scaled by the
// learning rate as PyTorch does), after clipping by the global norm. Returns the L2 norm of the segments' gradients before clipping,
// summed in float64; when that is not finite nothing is changed.
double adamw(Arena& weights, const Arena& gradients, Arena& m, Arena& v, const AdamWStep& step, int threads);

}  // namespace sesd
