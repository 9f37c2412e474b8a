// Contiguous memory that holds the parameters of a model, or their gradients, moments, averages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "errors.h"
#include "memory.h"

namespace sesd {

// bfloat16: the upper half of a float32.
using Bf16 = uint16_t;

template <class Element>
class ArenaOf {
 public:
  // Zero-filled memory. Throws sesd::Error when there is not enough.
  explicit ArenaOf(size_t length) : memory_(bytes_of(length)), length_(length) {}
  // Zero-filled, over a file in a folder: see Memory.
  ArenaOf(size_t length, const std::string& folder) : memory_(bytes_of(length), folder), length_(length) {}

  Element* data() const { return static_cast<Element*>(memory_.data()); }
  size_t length() const { return length_; }
  size_t bytes() const { return memory_.bytes(); }

 private:
  static size_t bytes_of(size_t length) {
    if (length > std::numeric_limits<size_t>::max() / sizeof(Element)) throw Error("an arena cannot have " + std::to_string(length) + " elements");
    return length * sizeof(Element);
  }

  Memory memory_;
  size_t length_;
};

using Arena = ArenaOf<float>;
using Bf16Arena = ArenaOf<Bf16>;

}  // namespace sesd
