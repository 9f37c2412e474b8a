#include "dropout.h"

#include "dropout_lanes.h"

namespace sesd::SESD_SIMD {

void dropout(const float* x, float* y, int64_t n, int64_t first, const DropoutStream& stream) {
  DropoutLanes kept(stream, static_cast<uint32_t>(first));
  const Float factor = splat(stream.factor);
  for_each_vector(n, [&](int64_t i, auto lanes) {
    store(y + i, select(kept.next(), load(x + i, lanes) * factor, zero()), lanes);
  });
}

}  // namespace sesd::SESD_SIMD
