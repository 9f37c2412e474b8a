// Working memory of a thread, kept between runs so that a step allocates nothing once shapes have been seen.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

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

// Working memory that the threads of one call share. As many pieces are kept as calls ever ran at once.
class SharedScratch {
 public:
  SharedScratch() {
    std::lock_guard<std::mutex> lock(mutex());
    if (kept().empty()) return;
    scratch_ = std::move(kept().back());
    kept().pop_back();
  }
  ~SharedScratch() {
    std::lock_guard<std::mutex> lock(mutex());
    kept().push_back(std::move(scratch_));
  }
  SharedScratch(const SharedScratch&) = delete;
  SharedScratch& operator=(const SharedScratch&) = delete;

  float* reserve(int64_t floats) { return scratch_.reserve(floats); }

 private:
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static std::vector<Scratch>& kept() {
    static auto* kept = new std::vector<Scratch>;  // outlives threads that still run at exit
    return *kept;
  }

  Scratch scratch_;
};

}  // namespace sesd
