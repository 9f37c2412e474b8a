// Contiguous float32 memory that holds the parameters of a model, or their gradients, moments, averages.
#pragma once

#include <cstddef>

namespace sesd {

class Arena {
 public:
  // Zero-filled. From 2 MB on it is aligned to huge pages and asks the system for them: touching and sweeping over the
  // weights of a model then costs a fraction. Throws sesd::Error when there is not enough memory.
  Arena(size_t length, int threads);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  float* data() const { return data_; }
  size_t length() const { return length_; }
  size_t bytes() const { return length_ * sizeof(float); }

 private:
  float* data_;
  size_t length_;
};

}  // namespace sesd
