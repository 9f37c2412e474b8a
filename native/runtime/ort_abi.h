// The part of ONNX Runtime's C ABI this addon uses, declared by hand.
//
// The library exports a single symbol, OrtGetApiBase; everything else is a table of function pointers that
// only ever grows at its end, so a function is its slot number. ORT_FUNCTIONS lists the slots used here and
// load_api() copies them out of the table. native/test/ort_abi_check.cc holds numbers, signatures and
// structs against the official header at compile time (cmake -DORT_INCLUDE_DIR=...).
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define ORT_ABI_CALL __stdcall
#else
#define ORT_ABI_CALL
#endif

namespace ort {

#ifdef _WIN32
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

// The oldest table that has every slot below: ONNX Runtime 1.16.
constexpr uint32_t kApiVersion = 16;

// Opaque: the library makes and frees them.
struct Allocator;
struct ArenaConfig;
struct CudaProviderOptions;
struct CustomOpDomain;
struct Env;
struct IoBinding;
struct KernelContext;
struct KernelInfo;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct ThreadingOptions;
struct TypeInfo;
struct Value;
struct CustomOp;

// ONNX TensorProto.DataType numbers.
enum DataType : int {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kDouble = 11,
  kBfloat16 = 16,
};
enum LogLevel : int { kLogError = 3, kLogFatal = 4 };
enum ErrorCode : int { kFail = 1 };
enum AllocatorKind : int { kDeviceAllocator = 0, kArenaAllocator = 1 };
enum MemoryKind : int { kDefaultMemory = 0 };
enum Characteristic : int { kRequired = 0, kOptional = 1 };

// clang-format off
// F(slot, name, result, arguments), ascending.
#define ORT_FUNCTIONS(F)                                                                                       \
  F(0,   CreateStatus,                      Status*,     (int code, const char* message))                      \
  F(1,   GetErrorCode,                      int,         (const Status*))                                      \
  F(2,   GetErrorMessage,                   const char*, (const Status*))                                      \
  F(6,   DisableTelemetryEvents,            Status*,     (const Env*))                                         \
  F(8,   CreateSessionFromArray,            Status*,     (const Env*, const void*, size_t, const SessionOptions*, Session**)) \
  F(10,  CreateSessionOptions,              Status*,     (SessionOptions**))                                   \
  F(14,  EnableProfiling,                   Status*,     (SessionOptions*, const PathChar* prefix))            \
  F(17,  DisableMemPattern,                 Status*,     (SessionOptions*))                                    \
  F(22,  SetSessionLogSeverityLevel,        Status*,     (SessionOptions*, int))                               \
  F(24,  SetIntraOpNumThreads,              Status*,     (SessionOptions*, int))                               \
  F(26,  CreateCustomOpDomain,              Status*,     (const char*, CustomOpDomain**))                      \
  F(27,  CustomOpDomain_Add,                Status*,     (CustomOpDomain*, const CustomOp*))                   \
  F(28,  AddCustomOpDomain,                 Status*,     (SessionOptions*, CustomOpDomain*))                   \
  F(30,  SessionGetInputCount,              Status*,     (const Session*, size_t*))                            \
  F(31,  SessionGetOutputCount,             Status*,     (const Session*, size_t*))                            \
  F(33,  SessionGetInputTypeInfo,           Status*,     (const Session*, size_t, TypeInfo**))                 \
  F(34,  SessionGetOutputTypeInfo,          Status*,     (const Session*, size_t, TypeInfo**))                 \
  F(36,  SessionGetInputName,               Status*,     (const Session*, size_t, Allocator*, char**))         \
  F(37,  SessionGetOutputName,              Status*,     (const Session*, size_t, Allocator*, char**))         \
  F(39,  CreateRunOptions,                  Status*,     (RunOptions**))                                       \
  F(46,  RunOptionsSetTerminate,            Status*,     (RunOptions*))                                        \
  F(49,  CreateTensorWithDataAsOrtValue,    Status*,     (const MemoryInfo*, void*, size_t bytes, const int64_t* dims, size_t rank, int type, Value**)) \
  F(51,  GetTensorMutableData,              Status*,     (Value*, void**))                                     \
  F(55,  CastTypeInfoToTensorInfo,          Status*,     (const TypeInfo*, const TensorInfo**))                \
  F(60,  GetTensorElementType,              Status*,     (const TensorInfo*, int*))                            \
  F(61,  GetDimensionsCount,                Status*,     (const TensorInfo*, size_t*))                         \
  F(62,  GetDimensions,                     Status*,     (const TensorInfo*, int64_t*, size_t))                \
  F(65,  GetTensorTypeAndShape,             Status*,     (const Value*, TensorInfo**))                         \
  F(68,  CreateMemoryInfo,                  Status*,     (const char* name, int allocator, int device, int memory, MemoryInfo**)) \
  F(69,  CreateCpuMemoryInfo,               Status*,     (int allocator, int memory, MemoryInfo**))            \
  F(76,  AllocatorFree,                     Status*,     (Allocator*, void*))                                  \
  F(78,  GetAllocatorWithDefaultOptions,    Status*,     (Allocator**))                                        \
  F(85,  KernelInfoGetAttribute_float,      Status*,     (const KernelInfo*, const char*, float*))             \
  F(86,  KernelInfoGetAttribute_int64,      Status*,     (const KernelInfo*, const char*, int64_t*))           \
  F(87,  KernelInfoGetAttribute_string,     Status*,     (const KernelInfo*, const char*, char*, size_t*))     \
  F(88,  KernelContext_GetInputCount,       Status*,     (const KernelContext*, size_t*))                      \
  F(89,  KernelContext_GetOutputCount,      Status*,     (const KernelContext*, size_t*))                      \
  F(90,  KernelContext_GetInput,            Status*,     (const KernelContext*, size_t, const Value**))        \
  F(91,  KernelContext_GetOutput,           Status*,     (KernelContext*, size_t, const int64_t* dims, size_t rank, Value**)) \
  F(93,  ReleaseStatus,                     void,        (Status*))                                            \
  F(94,  ReleaseMemoryInfo,                 void,        (MemoryInfo*))                                        \
  F(95,  ReleaseSession,                    void,        (Session*))                                           \
  F(96,  ReleaseValue,                      void,        (Value*))                                             \
  F(97,  ReleaseRunOptions,                 void,        (RunOptions*))                                        \
  F(98,  ReleaseTypeInfo,                   void,        (TypeInfo*))                                          \
  F(99,  ReleaseTensorTypeAndShapeInfo,     void,        (TensorInfo*))                                        \
  F(100, ReleaseSessionOptions,             void,        (SessionOptions*))                                    \
  F(110, SessionEndProfiling,               Status*,     (Session*, Allocator*, char** path))                  \
  F(119, CreateEnvWithGlobalThreadPools,    Status*,     (int log_level, const char* id, const ThreadingOptions*, Env**)) \
  F(120, DisablePerSessionThreads,          Status*,     (SessionOptions*))                                    \
  F(121, CreateThreadingOptions,            Status*,     (ThreadingOptions**))                                 \
  F(122, ReleaseThreadingOptions,           void,        (ThreadingOptions*))                                  \
  F(125, GetAvailableProviders,             Status*,     (char***, int* count))                                \
  F(126, ReleaseAvailableProviders,         Status*,     (char**, int count))                                  \
  F(130, AddSessionConfigEntry,             Status*,     (SessionOptions*, const char* key, const char* value)) \
  F(133, RunWithBinding,                    Status*,     (Session*, const RunOptions*, const IoBinding*))      \
  F(134, CreateIoBinding,                   Status*,     (Session*, IoBinding**))                              \
  F(135, ReleaseIoBinding,                  void,        (IoBinding*))                                         \
  F(136, BindInput,                         Status*,     (IoBinding*, const char*, const Value*))              \
  F(137, BindOutput,                        Status*,     (IoBinding*, const char*, const Value*))              \
  F(138, BindOutputToDevice,                Status*,     (IoBinding*, const char*, const MemoryInfo*))         \
  F(140, GetBoundOutputValues,              Status*,     (const IoBinding*, Allocator*, Value***, size_t* count)) \
  F(144, CreateAndRegisterAllocator,        Status*,     (Env*, const MemoryInfo*, const ArenaConfig*))        \
  F(147, SetGlobalIntraOpNumThreads,        Status*,     (ThreadingOptions*, int))                             \
  F(148, SetGlobalInterOpNumThreads,        Status*,     (ThreadingOptions*, int))                             \
  F(149, SetGlobalSpinControl,              Status*,     (ThreadingOptions*, int))                             \
  F(157, ReleaseArenaCfg,                   void,        (ArenaConfig*))                                       \
  F(164, CreateArenaCfgV2,                  Status*,     (const char* const* keys, const size_t* values, size_t count, ArenaConfig**)) \
  F(194, GetTensorMemoryInfo,               Status*,     (const Value*, const MemoryInfo**))                   \
  F(202, SynchronizeBoundInputs,            Status*,     (IoBinding*))                                         \
  F(203, SynchronizeBoundOutputs,           Status*,     (IoBinding*))                                         \
  F(204, SessionOptionsAppendExecutionProvider_CUDA_V2, Status*, (SessionOptions*, const CudaProviderOptions*)) \
  F(205, CreateCUDAProviderOptions,         Status*,     (CudaProviderOptions**))                              \
  F(206, UpdateCUDAProviderOptions,         Status*,     (CudaProviderOptions*, const char* const* keys, const char* const* values, size_t count)) \
  F(208, ReleaseCUDAProviderOptions,        void,        (CudaProviderOptions*))                               \
  F(219, GetTrainingApi,                    const void*, (uint32_t version))                                   \
  F(274, KernelContext_ParallelFor,         Status*,     (const KernelContext*, void (*body)(void*, size_t), size_t total, size_t batches, void* user))
// clang-format on

struct Api {
#define ORT_MEMBER(slot, name, result, arguments) result(ORT_ABI_CALL* name) arguments;
  ORT_FUNCTIONS(ORT_MEMBER)
#undef ORT_MEMBER
};

struct ApiBase {
  const void*(ORT_ABI_CALL* GetApi)(uint32_t version);
  const char*(ORT_ABI_CALL* GetVersionString)();
};

// False when the library is older than kApiVersion.
inline bool load_api(const ApiBase& base, Api& api) {
  const auto table = static_cast<void* const*>(base.GetApi(kApiVersion));
  if (table == nullptr) return false;
#define ORT_COPY(slot, name, result, arguments) api.name = reinterpret_cast<decltype(api.name)>(table[slot]);
  ORT_FUNCTIONS(ORT_COPY)
#undef ORT_COPY
  return true;
}

// OrtCustomOp. `version` tells the library how many of the fields it may read.
struct CustomOp {
  uint32_t version;
  void*(ORT_ABI_CALL* CreateKernel)(const CustomOp*, const void* api, const KernelInfo*);
  const char*(ORT_ABI_CALL* GetName)(const CustomOp*);
  const char*(ORT_ABI_CALL* GetExecutionProviderType)(const CustomOp*);
  int(ORT_ABI_CALL* GetInputType)(const CustomOp*, size_t);
  size_t(ORT_ABI_CALL* GetInputTypeCount)(const CustomOp*);
  int(ORT_ABI_CALL* GetOutputType)(const CustomOp*, size_t);
  size_t(ORT_ABI_CALL* GetOutputTypeCount)(const CustomOp*);
  void(ORT_ABI_CALL* KernelCompute)(void* kernel, KernelContext*);
  void(ORT_ABI_CALL* KernelDestroy)(void* kernel);
  int(ORT_ABI_CALL* GetInputCharacteristic)(const CustomOp*, size_t);
  int(ORT_ABI_CALL* GetOutputCharacteristic)(const CustomOp*, size_t);
  int(ORT_ABI_CALL* GetInputMemoryType)(const CustomOp*, size_t);
  int(ORT_ABI_CALL* GetVariadicInputMinArity)(const CustomOp*);
  int(ORT_ABI_CALL* GetVariadicInputHomogeneity)(const CustomOp*);
  int(ORT_ABI_CALL* GetVariadicOutputMinArity)(const CustomOp*);
  int(ORT_ABI_CALL* GetVariadicOutputHomogeneity)(const CustomOp*);
  // from version 16
  Status*(ORT_ABI_CALL* CreateKernelV2)(const CustomOp*, const void* api, const KernelInfo*, void** kernel);
  Status*(ORT_ABI_CALL* KernelComputeV2)(void* kernel, KernelContext*);
};
constexpr uint32_t kCustomOpVersion = 16;

}  // namespace ort
