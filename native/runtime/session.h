// A model loaded for running, and what its inputs and outputs are.
#pragma once

#include <string>
#include <vector>

#include "environment.h"
#include "ort.h"
#include "tensor.h"

namespace sesd {

// An input or output as the model declares it.
struct Signature {
  std::string name;
  int type = ort::kUndefined;  // kUndefined when it is no tensor
  Dims dims;                   // negative: left open

  // Throws, naming the tensor, when one of this type and shape cannot be bound. `role` is "input" or "output".
  void check(const char* role, int given_type, const Dims& given_dims) const;
};

class Session {
 public:
  Session(const void* model, size_t bytes, const SessionSettings& settings);

  ort::Session* handle() const { return handle_.get(); }
  const std::vector<Signature>& inputs() const { return inputs_; }
  const std::vector<Signature>& outputs() const { return outputs_; }
  // Describes the memory of what the session computes on.
  const ort::MemoryInfo* memory() const;
  // Null when there is none of that name.
  const Signature* input(const std::string& name) const;
  const Signature* output(const std::string& name) const;

  // Path of the recorded profile. Throws when none is being recorded.
  std::string end_profiling();

 private:
  ort::SessionHandle handle_;
  std::vector<Signature> inputs_, outputs_;
  ort::MemoryInfoHandle device_memory_;  // null: ordinary memory
  bool profiling_;
};

}  // namespace sesd
