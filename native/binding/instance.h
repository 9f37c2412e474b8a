// What one loaded copy of the addon has: the main thread's, or a worker_thread's.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../runtime/io_binding.h"
#include "../runtime/worker_pool.h"

namespace sesd::binding {

class Instance;

// Work that execute() does on a worker thread and whose outcome settle() tells on the JavaScript thread,
// where it is also made and destroyed.
class Job : public Task {
 public:
  explicit Job(Instance& instance) : instance_(instance) {}
  void execute() noexcept final;
  virtual void settle(Napi::Env env) = 0;

 protected:
  virtual void work() noexcept = 0;

 private:
  Instance& instance_;
};

class Instance {
 public:
  // Makes this environment's instance. When the environment ends, be it that the process exits or that its
  // worker_thread is terminated, runs are cancelled and other work is waited for.
  static void create(Napi::Env env);
  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }

  // Constructors of the classes JavaScript sees, by class name.
  std::unordered_map<std::string, Napi::FunctionReference> constructors;

  // Executes and settles the job, then deletes it. Keeps the process alive meanwhile. Throws when the environment is ending.
  void start(Napi::Env env, std::unique_ptr<Job> job);
  // Registers a run to be cancelled when the environment ends.
  void cancel_at_end(const std::shared_ptr<Run>& run);

 private:
  friend class Job;
  static void settle(Napi::Env env, Napi::Function, Instance* instance, Job* job);
  using Settler = Napi::TypedThreadSafeFunction<Instance, Job, settle>;

  void end();

  Settler settler_;  // takes jobs that are done to the JavaScript thread
  std::unordered_map<Job*, std::unique_ptr<Job>> jobs_;
  std::vector<std::weak_ptr<Run>> runs_;
  WorkerPool pool_;  // last, so that its threads are gone before what they use
};

}  // namespace sesd::binding
