// The dropout stream of OPS.md, a vector of elements at a time.
#pragma once

#include "../dropout_stream.h"
#include "vec.h"

namespace sesd::SESD_SIMD {

class DropoutLanes {
 public:
  // Starts at flat index `first` (modulo 2³²).
  DropoutLanes(const DropoutStream& stream, uint32_t first)
      : key_(splat(stream.key)),
        site_key_(splat(stream.site_key)),
        threshold_(splat(stream.threshold)),
        counter_((splat(first) + lane_numbers()) * splat(kCounter) + key_) {}

  // Which of the next kLanes elements are kept.
  Mask next() {
    Word x = counter_;
    counter_ = counter_ + splat(kCounter * static_cast<uint32_t>(kLanes));
    x = mixed(x, 739982445u) + site_key_;
    x = mixed(x, 695872825u) + key_;
    x = mixed(x, 830770091u) + site_key_;
    return at_least(x, threshold_);
  }

 private:
  static constexpr uint32_t kCounter = 747796405u;

  static Word mixed(Word x, uint32_t factor) {
    const Word high = high_half(x);
    return (x + high * high) * splat(factor);
  }

  Word key_, site_key_, threshold_, counter_;
};

}  // namespace sesd::SESD_SIMD
