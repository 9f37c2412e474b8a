// How to write a custom op of the domain "sesd" (see OPS.md).
//
// An op is a class with
//
//   static constexpr const char* kName = "BiasGeluGrad";
//   static constexpr Port kInputs[] = {{ort::kFloat}, {ort::kFloat, ort::kOptional}};
//   static constexpr Port kOutputs[] = {{ort::kFloat}, {ort::kFloat}};
//   explicit BiasGeluGrad(const Attributes& attributes);
//   void compute(const Context& context) const;
//
// and is made known by custom_op<BiasGeluGrad>() in register.cc. Both functions may throw: the message
// becomes the error of the run. compute() may be called by several runs at once, so it changes no members.
//
// Inner loops live in simd/*.cc, see simd.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "../runtime/ort.h"

namespace sesd {

// Element type and arity of one input or output.
struct Port {
  ort::DataType type;
  ort::Characteristic characteristic = ort::kRequired;
};

using Dims = std::vector<int64_t>;

// Number of elements; 1 for a scalar.
int64_t element_count(const Dims& dims);

// A node's attributes. Names are those of OPS.md.
class Attributes {
 public:
  explicit Attributes(const ort::KernelInfo* info) : info_(info) {}

  float get_float(const char* name, float fallback) const;
  int64_t get_int(const char* name, int64_t fallback) const;
  std::string get_string(const char* name, const char* fallback) const;

 private:
  const ort::KernelInfo* info_;
};

// One call of a kernel: its inputs, its outputs, and the runtime's threads.
class Context {
 public:
  explicit Context(ort::KernelContext* context) : context_(context) {}

  // False for an optional input that is absent: left out at the end, or named ''.
  bool has_input(size_t index) const { return input_value(index) != nullptr; }

  // Row-major elements of an input; null when it is absent.
  template <class T>
  const T* input(size_t index) const {
    return static_cast<const T*>(data_of(input_value(index)));
  }

  // Shape of an input that is present.
  Dims dims(size_t index) const;

  // Allocates an output and returns its elements, uninitialised; null when it is optional and unused.
  template <class T = float>
  T* output(size_t index, const Dims& dims) const {
    return static_cast<T*>(data_of(output_value(index, dims)));
  }

  // Calls body(i) for every i < count on the runtime's intra-op threads and waits. Which thread runs which
  // index is not fixed: for results that do not depend on the number of threads make `count` depend on
  // shapes alone, let each index write its own memory, and combine in order afterwards.
  template <class Body>
  void parallel_for(size_t count, const Body& body) const {
    struct Call {
      const Body& body;
      std::mutex mutex;
      std::exception_ptr error;
    } call{body, {}, {}};
    // No exception may cross the runtime's frames: the first is carried over and thrown here.
    const auto run = [](void* user, size_t index) {
      Call& call = *static_cast<Call*>(user);
      try {
        call.body(index);
      } catch (...) {
        std::lock_guard<std::mutex> lock(call.mutex);
        if (!call.error) call.error = std::current_exception();
      }
    };
    if (count > 0) ort::check(ort::api().KernelContext_ParallelFor(context_, run, count, 0, &call));
    if (call.error) std::rethrow_exception(call.error);
  }

 private:
  const ort::Value* input_value(size_t index) const;
  ort::Value* output_value(size_t index, const Dims& dims) const;
  static void* data_of(const ort::Value* value);

  ort::KernelContext* context_;
};

// [first, last) of the elements (or rows) that block `index` of `count` equal blocks has.
struct Block {
  int64_t first;
  int64_t last;
};
inline Block block(int64_t total, size_t index, size_t count) {
  const auto i = static_cast<int64_t>(index), n = static_cast<int64_t>(count);
  return {total * i / n, total * (i + 1) / n};
}

// Runs f and turns an exception into the status ONNX Runtime expects.
template <class F>
ort::Status* guarded(const F& f) {
  try {
    f();
    return nullptr;
  } catch (const std::exception& error) {
    return ort::api().CreateStatus(ort::kFail, error.what());
  }
}

// The kernel class as the table ONNX Runtime calls. One per class, never freed.
template <class Kernel>
const ort::CustomOp* custom_op() {
  using ort::CustomOp;
  static const CustomOp op = [] {
    CustomOp table{};
    table.version = ort::kCustomOpVersion;
    table.GetName = [](const CustomOp*) { return Kernel::kName; };
    table.GetExecutionProviderType = [](const CustomOp*) { return "CPUExecutionProvider"; };
    table.GetInputTypeCount = [](const CustomOp*) { return std::size(Kernel::kInputs); };
    table.GetInputType = [](const CustomOp*, size_t i) -> int { return Kernel::kInputs[i].type; };
    table.GetInputCharacteristic = [](const CustomOp*, size_t i) -> int { return Kernel::kInputs[i].characteristic; };
    table.GetInputMemoryType = [](const CustomOp*, size_t) -> int { return ort::kDefaultMemory; };
    table.GetOutputTypeCount = [](const CustomOp*) { return std::size(Kernel::kOutputs); };
    table.GetOutputType = [](const CustomOp*, size_t i) -> int { return Kernel::kOutputs[i].type; };
    table.GetOutputCharacteristic = [](const CustomOp*, size_t i) -> int { return Kernel::kOutputs[i].characteristic; };
    table.CreateKernelV2 = [](const CustomOp*, const void*, const ort::KernelInfo* info, void** kernel) {
      return guarded([&] { *kernel = new Kernel(Attributes(info)); });
    };
    table.KernelComputeV2 = [](void* kernel, ort::KernelContext* context) {
      return guarded([&] { static_cast<const Kernel*>(kernel)->compute(Context(context)); });
    };
    table.KernelDestroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
    return table;
  }();
  return &op;
}

// All ops of the domain. Defined in register.cc.
std::vector<const ort::CustomOp*> custom_ops();

}  // namespace sesd
