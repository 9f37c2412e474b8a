// The export table: NativeAddon of src/engine/contract.ts.
#include <napi.h>

#include "binding/arena.h"
#include "binding/instance.h"
#include "binding/optimizer.h"
#include "binding/runtime.h"
#include "binding/session.h"
#include "binding/training.h"

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  using namespace sesd::binding;
  Instance::create(env);
  JsArena::define(env);
  JsBf16Arena::define(env);
  JsSession::define(env);
  JsBinding::define(env);
  JsStash::define(env);
  JsTensor::define(env);
  JsTrainingSession::define(env);
  exports.Set("open", Napi::Function::New<open_runtime>(env, "open"));
  exports.Set("preload", Napi::Function::New<preload_libraries>(env, "preload"));
  exports.Set("createArena", Napi::Function::New<JsArena::make>(env, "createArena"));
  exports.Set("createBf16Arena", Napi::Function::New<JsBf16Arena::make>(env, "createBf16Arena"));
  exports.Set("createSession", Napi::Function::New<JsSession::make>(env, "createSession"));
  exports.Set("createTrainingSession", Napi::Function::New<JsTrainingSession::make>(env, "createTrainingSession"));
  exports.Set("mean", Napi::Function::New<mean_of>(env, "mean"));
  exports.Set("average", Napi::Function::New<average_of>(env, "average"));
  exports.Set("add", Napi::Function::New<add_to>(env, "add"));
  exports.Set("adamw", Napi::Function::New<adamw_step>(env, "adamw"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sesd, initialize)
