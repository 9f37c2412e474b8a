#include "instance.h"

#include <algorithm>

#include "../runtime/errors.h"

namespace sesd::binding {

void Job::execute() noexcept {
  work();
  // Fails only when the environment is ending; the instance then deletes the job without settling it.
  instance_.settler_.NonBlockingCall(this);
}

void Instance::create(Napi::Env env) {
  auto* instance = new Instance;
  env.SetInstanceData(instance);  // deleted with the environment, after its clean-up hooks
  instance->settler_ = Settler::New(env, "sesd", 0, 1, instance);
  instance->settler_.Unref(env);
  // Terminating a worker_thread runs clean-up hooks but no 'exit' handler; process.exit() the other way round.
  // This hook runs before the settler's own, which was there first.
  env.AddCleanupHook([instance] {
    instance->end();
    instance->jobs_.clear();
  });
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto on_exit = [](const Napi::CallbackInfo& info) { Instance::of(info.Env()).end(); };
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), Napi::Function::New(env, on_exit)});
}

void Instance::start(Napi::Env env, std::unique_ptr<Job> job) {
  Job* const started = job.get();
  if (!pool_.submit(started)) throw Error("the process is ending");
  // It may be done already, but settles no sooner than this thread is free.
  if (jobs_.empty()) settler_.Ref(env);
  jobs_.emplace(started, std::move(job));
}

void Instance::settle(Napi::Env env, Napi::Function, Instance* instance, Job* job) {
  if (static_cast<napi_env>(env) == nullptr) return;  // the settler is being closed, and the jobs are gone
  const auto found = instance->jobs_.find(job);
  const std::unique_ptr<Job> done = std::move(found->second);
  instance->jobs_.erase(found);
  if (instance->jobs_.empty()) instance->settler_.Unref(env);
  done->settle(env);
}

void Instance::cancel_at_end(const std::shared_ptr<Run>& run) {
  runs_.erase(std::remove_if(runs_.begin(), runs_.end(), [](const auto& r) { return r.expired(); }), runs_.end());
  runs_.push_back(run);
}

void Instance::end() {
  for (const auto& weak : runs_) {
    if (const auto run = weak.lock()) run->cancel();
  }
  pool_.close();
}

}  // namespace sesd::binding
