#include "instance.h"

#include <algorithm>

namespace sesd::binding {

void Instance::create(Napi::Env env) {
  auto* instance = new Instance;
  env.SetInstanceData(instance);  // deleted with the environment, after its clean-up hooks
  // Terminating a worker_thread runs clean-up hooks but no 'exit' handler; process.exit() the other way round.
  env.AddCleanupHook([instance] { instance->cancel_runs(); });
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto on_exit = [](const Napi::CallbackInfo& info) { Instance::of(info.Env()).cancel_runs(); };
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), Napi::Function::New(env, on_exit)});
}

void Instance::started(const std::shared_ptr<Run>& run) {
  runs_.erase(std::remove_if(runs_.begin(), runs_.end(), [](const auto& r) { return r.expired(); }), runs_.end());
  runs_.push_back(run);
}

void Instance::cancel_runs() {
  for (const auto& weak : runs_) {
    if (const auto run = weak.lock()) run->cancel();
  }
}

}  // namespace sesd::binding
