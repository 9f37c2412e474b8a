// ONNX Runtime's functions, its errors as exceptions, and owning handles for its objects.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "ort_abi.h"

namespace ort {

// The functions of the loaded library. Filled once by sesd::load_library(), before anything here is called.
const Api& api();

// A failed call. Its message is the library's own.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws Error if the call failed.
void check(Status* status);

// Calls a function whose last parameter receives the created object: make<Value>(api().CreateX, args...).
template <class T, class... Parameters, class... Arguments>
T* make(Status*(ORT_ABI_CALL* create)(Parameters...), Arguments... arguments) {
  T* created = nullptr;
  check(create(arguments..., &created));
  return created;
}

// The library's allocator of ordinary memory. It is never freed.
Allocator* default_allocator();
// Takes a string that allocator made.
std::string take_string(char* text);

#define ORT_HANDLE(Type, release)                                   \
  struct Type##Release {                                            \
    void operator()(Type* object) const { api().release(object); } \
  };                                                                \
  using Type##Handle = std::unique_ptr<Type, Type##Release>;
ORT_HANDLE(ArenaConfig, ReleaseArenaCfg)
ORT_HANDLE(CudaProviderOptions, ReleaseCUDAProviderOptions)
ORT_HANDLE(IoBinding, ReleaseIoBinding)
ORT_HANDLE(MemoryInfo, ReleaseMemoryInfo)
ORT_HANDLE(RunOptions, ReleaseRunOptions)
ORT_HANDLE(Session, ReleaseSession)
ORT_HANDLE(SessionOptions, ReleaseSessionOptions)
ORT_HANDLE(TensorInfo, ReleaseTensorTypeAndShapeInfo)
ORT_HANDLE(ThreadingOptions, ReleaseThreadingOptions)
ORT_HANDLE(TypeInfo, ReleaseTypeInfo)
ORT_HANDLE(Value, ReleaseValue)
#undef ORT_HANDLE

}  // namespace ort
