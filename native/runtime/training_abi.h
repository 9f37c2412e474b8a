// The part of ONNX Runtime's training API this addon uses: a table of its own, which the main one gives out where the
// library was built with training. Slots as in ort_abi.h.
#pragma once

#include "ort_abi.h"

namespace ort {

// Opaque: the library makes and frees them.
struct CheckpointState;
struct TrainingSession;

// clang-format off
// F(slot, name, result, arguments), ascending.
#define ORT_TRAINING_FUNCTIONS(F)                                                                              \
  F(1,  SaveCheckpoint,                             Status*, (CheckpointState*, const PathChar* path, bool with_optimizer)) \
  F(3,  CreateTrainingSessionFromBuffer,            Status*, (const Env*, const SessionOptions*, CheckpointState*, const void* train, size_t, const void* eval, size_t, const void* optimizer, size_t, TrainingSession**)) \
  F(4,  TrainingSessionGetTrainingModelOutputCount, Status*, (const TrainingSession*, size_t*))                \
  F(5,  TrainingSessionGetEvalModelOutputCount,     Status*, (const TrainingSession*, size_t*))                \
  F(6,  TrainingSessionGetTrainingModelOutputName,  Status*, (const TrainingSession*, size_t, Allocator*, char**)) \
  F(7,  TrainingSessionGetEvalModelOutputName,      Status*, (const TrainingSession*, size_t, Allocator*, char**)) \
  F(8,  LazyResetGrad,                              Status*, (TrainingSession*))                               \
  F(9,  TrainStep,                                  Status*, (TrainingSession*, const RunOptions*, size_t, const Value* const* inputs, size_t, Value** outputs)) \
  F(10, EvalStep,                                   Status*, (const TrainingSession*, const RunOptions*, size_t, const Value* const* inputs, size_t, Value** outputs)) \
  F(11, SetLearningRate,                            Status*, (TrainingSession*, float))                        \
  F(13, OptimizerStep,                              Status*, (TrainingSession*, const RunOptions*))            \
  F(18, CopyBufferToParameters,                     Status*, (TrainingSession*, Value*, bool trainable_only))  \
  F(19, ReleaseTrainingSession,                     void,    (TrainingSession*))                               \
  F(20, ReleaseCheckpointState,                     void,    (CheckpointState*))                               \
  F(23, TrainingSessionGetTrainingModelInputCount,  Status*, (const TrainingSession*, size_t*))                \
  F(24, TrainingSessionGetEvalModelInputCount,      Status*, (const TrainingSession*, size_t*))                \
  F(25, TrainingSessionGetTrainingModelInputName,   Status*, (const TrainingSession*, size_t, Allocator*, char**)) \
  F(26, TrainingSessionGetEvalModelInputName,       Status*, (const TrainingSession*, size_t, Allocator*, char**)) \
  F(29, LoadCheckpointFromBuffer,                   Status*, (const void*, size_t, CheckpointState**))         \
  F(31, UpdateParameter,                            Status*, (CheckpointState*, const char* name, Value*))     \
  F(32, GetParameter,                               Status*, (const CheckpointState*, const char* name, Allocator*, Value**))
// clang-format on

struct TrainingApi {
#define ORT_MEMBER(slot, name, result, arguments) result(ORT_ABI_CALL* name) arguments;
  ORT_TRAINING_FUNCTIONS(ORT_MEMBER)
#undef ORT_MEMBER
};

}  // namespace ort
