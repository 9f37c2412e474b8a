#include "passes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../runtime/parallel.h"
#include "simd/passes.h"

namespace sesd {

void fill(Arena& arena, float value, int threads) {
  parallel_ranges(arena.length(), threads, [&](size_t first, size_t last) { std::fill(arena.data() + first, arena.data() + last, value); });
}

void copy(float* to, const float* from, size_t length, int threads) {
  parallel_ranges(length, threads, [&](size_t first, size_t last) { std::memcpy(to + first, from + first, (last - first) * sizeof(float)); });
}

void add(Arena& dst, const Arena& src, int threads) {
  static const auto pass = SESD_SIMD_CHOOSE(add);
  parallel_ranges(dst.length(), threads, [&](size_t first, size_t last) { pass(dst.data() + first, src.data() + first, last - first); });
}

double adamw(Arena& weights, const Arena& gradients, Arena& m, Arena& v, const AdamWStep& step, int threads) {
  static const auto squares = SESD_SIMD_CHOOSE(sum_of_squares);
  static const auto update = SESD_SIMD_CHOOSE(adamw);

  // Chunks of the segments, in their order.
  struct Range {
    size_t segment, offset, length;
  };
  std::vector<Range> ranges;
  for (size_t s = 0; s < step.segments.size(); s++) {
    const Segment& segment = step.segments[s];
    for (size_t done = 0; done < segment.length; done += kChunk) {
      ranges.push_back({s, segment.offset + done, std::min(kChunk, segment.length - done)});
    }
  }

  std::vector<double> sums(ranges.size());
  parallel_chunks(ranges.size(), threads, [&](size_t i) { sums[i] = squares(gradients.data() + ranges[i].offset, ranges[i].length); });
  double sum = 0;
  for (const double s : sums) sum += s;
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm)) return norm;

  const double correction1 = 1 - std::pow(step.beta1, static_cast<double>(step.step));
  const double correction2 = 1 - std::pow(step.beta2, static_cast<double>(step.step));
  std::vector<AdamWCoefficients> coefficients;
  for (const Segment& segment : step.segments) {
    AdamWCoefficients c{};
    c.gradient_scale = norm > step.max_grad_norm ? static_cast<float>(step.max_grad_norm / (norm + 1e-6)) : 1.0f;
    c.beta1 = static_cast<float>(step.beta1);
    c.beta2 = static_cast<float>(step.beta2);
    c.one_minus_beta1 = static_cast<float>(1 - step.beta1);
    c.one_minus_beta2 = static_cast<float>(1 - step.beta2);
    c.decay = static_cast<float>(1 - segment.learning_rate * segment.weight_decay);
    c.step_size = static_cast<float>(segment.learning_rate / correction1);
    c.variance_scale = static_cast<float>(1 / std::sqrt(correction2));
    c.epsilon = static_cast<float>(step.epsilon);
    coefficients.push_back(c);
  }
  parallel_chunks(ranges.size(), threads, [&](size_t i) {
    const Range& r = ranges[i];
    average(step.before, weights.data() + r.offset, r.offset, r.length);
    update(weights.data() + r.offset, gradients.data() + r.offset, m.data() + r.offset, v.data() + r.offset, r.length, coefficients[r.segment]);
    average(step.after, weights.data() + r.offset, r.offset, r.length);
  });
  return norm;
}

}  // namespace sesd
