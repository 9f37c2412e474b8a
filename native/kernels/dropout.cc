#include "dropout.h"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include "rows.h"
#include "simd/dropout.h"

namespace sesd {

DropoutAttributes::DropoutAttributes(const char* op, const Attributes& attributes)
    : op_(op),
      ratio_(attributes.get_float("ratio", 0)),
      site_(static_cast<uint32_t>(attributes.get_int("site", 0))) {
  if (!(ratio_ >= 0 && ratio_ < 1)) {
    throw std::invalid_argument(std::string("sesd::") + op + ": ratio must be in [0, 1), found " +
                                std::to_string(ratio_));
  }
}

DropoutStream DropoutAttributes::stream(const Context& context, size_t key_input) const {
  DropoutStream stream;
  if (ratio_ == 0 || !context.has_input(key_input)) return stream;
  require_shape(op_, "key", context.dims(key_input), {2});
  const auto* key = context.input<int64_t>(key_input);
  const double ratio = ratio_;
  stream.off = false;
  stream.key = static_cast<uint32_t>(key[0]);
  stream.site_key = site_ * 1640531527u + static_cast<uint32_t>(key[1]);
  stream.threshold = static_cast<uint32_t>(std::floor(ratio * 4294967296.0 + 0.5));
  stream.factor = static_cast<float>(1 / (1 - ratio));
  return stream;
}

void Dropout::compute(const Context& context) const {
  static const auto dropout = SESD_SIMD_CHOOSE(dropout);
  const Dims dims = context.dims(0);
  const auto* x = context.input<float>(0);
  auto* y = context.output(0, dims);
  const DropoutStream stream = dropout_.stream(context, 1);
  constexpr int64_t kBlock = 1 << 15;
  const int64_t total = element_count(dims);
  context.parallel_for(static_cast<size_t>((total + kBlock - 1) / kBlock), [&](size_t index) {
    const int64_t first = static_cast<int64_t>(index) * kBlock, count = std::min(kBlock, total - first);
    if (stream.off) {
      std::memcpy(y + first, x + first, static_cast<size_t>(count) * sizeof(float));
    } else {
      dropout(x + first, y + first, count, first, stream);
    }
  });
}

}  // namespace sesd
