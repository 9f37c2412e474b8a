// The dropout stream of one op call (OPS.md).
#pragma once

#include <cstdint>

namespace sesd {

struct DropoutStream {
  // Nothing is dropped: ratio 0 or no key.
  bool off = true;
  uint32_t key = 0;
  uint32_t site_key = 0;
  // An element is kept when its number is at least this.
  uint32_t threshold = 0;
  // What kept elements are multiplied by.
  float factor = 1;
};

}  // namespace sesd
