// NativeTrainingSession of contract.ts.
#pragma once

#include "../runtime/training.h"
#include "handle.h"

namespace sesd::binding {

class JsTrainingSession final : public Handle<JsTrainingSession, TrainingSession> {
 public:
  static constexpr const char* kName = "NativeTrainingSession";
  static constexpr const char* kNoun = "training session";
  static constexpr napi_type_tag kTag = {0x92c47ae05d1f4b63, 0xa5e81b7c3f60d294};

  using Handle::Handle;
  static void define(Napi::Env env);
  // createTrainingSession(models, options)
  static Napi::Value make(const Napi::CallbackInfo& info);

 private:
  Napi::Value Initialize(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value EvalStep(const Napi::CallbackInfo& info);
  Napi::Value TrainStep(const Napi::CallbackInfo& info);
  Napi::Value ResetGradients(const Napi::CallbackInfo& info);
  Napi::Value OptimizerStep(const Napi::CallbackInfo& info);
  Napi::Value Save(const Napi::CallbackInfo& info);
  void Release(const Napi::CallbackInfo& info) { release(info); }
};

}  // namespace sesd::binding
