// Compiles only if runtime/ort_abi.h says what the official header says. Built with
// cmake -DORT_INCLUDE_DIR=<folder of onnxruntime_c_api.h>; the addon does not need it.
#include <onnxruntime_c_api.h>

#include <cstddef>
#include <type_traits>

#include "../runtime/ort_abi.h"

namespace {

// Passed alike by the calling conventions in use: same size, and the same of pointer, integer, floating point.
template <class Ours, class Theirs>
constexpr bool passed_alike() {
  if constexpr (std::is_void_v<Ours> || std::is_void_v<Theirs>) {
    return std::is_void_v<Ours> && std::is_void_v<Theirs>;
  } else {
    return sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs> &&
           std::is_floating_point_v<Ours> == std::is_floating_point_v<Theirs>;
  }
}

template <class R, class... A, class S, class... B>
constexpr bool called_alike(R(ORT_ABI_CALL*)(A...), S(ORT_ABI_CALL*)(B...)) {
  if constexpr (sizeof...(A) == sizeof...(B)) return passed_alike<R, S>() && (passed_alike<A, B>() && ...);
  return false;
}

#define CHECK_FUNCTION(slot, name, result, arguments)                                                         \
  static_assert(offsetof(OrtApi, name) == (slot) * sizeof(void*), "slot of " #name);                            \
  static_assert(called_alike(decltype(ort::Api::name){}, decltype(OrtApi::name){}), "signature of " #name);
ORT_FUNCTIONS(CHECK_FUNCTION)

#define CHECK_FIELD(name)                                                                            \
  static_assert(offsetof(ort::CustomOp, name) == offsetof(OrtCustomOp, name), "place of " #name);    \
  static_assert(called_alike(decltype(ort::CustomOp::name){}, decltype(OrtCustomOp::name){}), "signature of " #name);
CHECK_FIELD(CreateKernel)
CHECK_FIELD(GetName)
CHECK_FIELD(GetExecutionProviderType)
CHECK_FIELD(GetInputType)
CHECK_FIELD(GetInputTypeCount)
CHECK_FIELD(GetOutputType)
CHECK_FIELD(GetOutputTypeCount)
CHECK_FIELD(KernelCompute)
CHECK_FIELD(KernelDestroy)
CHECK_FIELD(GetInputCharacteristic)
CHECK_FIELD(GetOutputCharacteristic)
CHECK_FIELD(GetInputMemoryType)
CHECK_FIELD(GetVariadicInputMinArity)
CHECK_FIELD(GetVariadicInputHomogeneity)
CHECK_FIELD(GetVariadicOutputMinArity)
CHECK_FIELD(GetVariadicOutputHomogeneity)
CHECK_FIELD(CreateKernelV2)
CHECK_FIELD(KernelComputeV2)

static_assert(offsetof(ort::ApiBase, GetApi) == offsetof(OrtApiBase, GetApi));
static_assert(offsetof(ort::ApiBase, GetVersionString) == offsetof(OrtApiBase, GetVersionString));
static_assert(ORT_API_VERSION >= ort::kApiVersion);

static_assert(ort::kFloat == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT});
static_assert(ort::kUint8 == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8});
static_assert(ort::kInt32 == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32});
static_assert(ort::kInt64 == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64});
static_assert(ort::kBool == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL});
static_assert(ort::kDouble == int{ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE});
static_assert(ort::kLogError == int{ORT_LOGGING_LEVEL_ERROR});
static_assert(ort::kLogFatal == int{ORT_LOGGING_LEVEL_FATAL});
static_assert(ort::kFail == int{ORT_FAIL});
static_assert(ort::kDeviceAllocator == int{OrtDeviceAllocator});
static_assert(ort::kArenaAllocator == int{OrtArenaAllocator});
static_assert(ort::kDefaultMemory == int{OrtMemTypeDefault});
static_assert(ort::kRequired == int{INPUT_OUTPUT_REQUIRED});
static_assert(ort::kOptional == int{INPUT_OUTPUT_OPTIONAL});

}  // namespace
