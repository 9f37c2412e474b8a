// Working memory of a thread, kept between runs so that a step allocates nothing once shapes have been seen.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace sesd {

// Grows, never shrinks. Make it thread_local.
class Scratch {
 public:
  // At least `floats` floats, uninitialised, on a cache line; valid until the next call.
  float* reserve(int64_t floats) {
    if (floats > size_) {
      memory_.reset();
      memory_.reset(static_cast<float*>(::operator new(static_cast<size_t>(floats) * sizeof(float), kLine)));
      size_ = floats;
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(float* memory) const { ::operator delete(memory, kLine); }
  };
  std::unique_ptr<float, Delete> memory_;
  int64_t size_ = 0;
};

}  // namespace sesd
