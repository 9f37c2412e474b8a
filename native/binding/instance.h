// What one loaded copy of the addon has: the main thread's, or a worker_thread's.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../runtime/io_binding.h"

namespace sesd::binding {

class Instance {
 public:
  // Makes this environment's instance. From then on its runs are cancelled when the process exits or its
  // worker_thread is terminated: Node waits for work under way, and a run may take long.
  static void create(Napi::Env env);
  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }

  // Constructors of the classes JavaScript sees, by class name.
  std::unordered_map<std::string, Napi::FunctionReference> constructors;

  void started(const std::shared_ptr<Run>& run);
  void cancel_runs();

 private:
  std::vector<std::weak_ptr<Run>> runs_;
};

}  // namespace sesd::binding
