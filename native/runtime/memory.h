// Large blocks of memory for the numbers of a model.
#pragma once

#include <cstddef>
#include <string>

namespace sesd {

class Memory {
 public:
  // Zero-filled. From 2 MB on it is pages of the system that take memory when they are first touched, and are zero then.
  // They are aligned to huge pages and ask for them: touching and sweeping over the weights of a model costs a fraction.
  // Throws sesd::Error when there is not enough memory.
  explicit Memory(size_t bytes);
  // Zero-filled, over a file in `folder` that has no name and goes with the memory: the system may write its pages there
  // and use their memory for something else. The file's space is taken at once. Throws sesd::Error when the disk has not
  // enough, or the folder takes no file.
  Memory(size_t bytes, const std::string& folder);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  enum class Kind { kHeap, kPages, kFile };

  void* data_ = nullptr;
  void* file_ = nullptr;
  size_t bytes_;
  Kind kind_;
};

}  // namespace sesd
