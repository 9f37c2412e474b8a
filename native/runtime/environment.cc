#include "environment.h"

#include <atomic>

#include "../kernels/kernel.h"
#include "errors.h"
#include "library.h"

namespace sesd {

namespace {

// Leaked on purpose: the library's threads and other addons may use it until the process is gone.
std::atomic<Environment*> opened{nullptr};

std::vector<std::string> available_providers() {
  char** names = nullptr;
  int count = 0;
  ort::check(ort::api().GetAvailableProviders(&names, &count));
  const std::vector<std::string> providers(names, names + count);
  ort::check(ort::api().ReleaseAvailableProviders(names, count));
  return providers;
}

// One arena for all sessions, so that memory one gives back serves the next. It grows by doubling: over batches of 150
// lengths a three-session trainer peaked at 266 MB, with an arena per session at 284, growing by what is asked for
// (kSameAsRequested) at 379, with malloc alone at 454.
bool register_allocator(ort::Env* env, const ort::MemoryInfo* memory) {
  const char* const keys[] = {"arena_extend_strategy"};
  const size_t values[] = {0};  // kNextPowerOfTwo
  const ort::ArenaConfigHandle config(ort::make<ort::ArenaConfig>(ort::api().CreateArenaCfgV2, keys, values, size_t{1}));
  ort::Status* status = ort::api().CreateAndRegisterAllocator(env, memory, config.get());
  if (status == nullptr) return true;
  // Somebody else in this process has registered one; sessions keep their own.
  ort::api().ReleaseStatus(status);
  return false;
}

void append_cuda(ort::SessionOptions* session, const std::vector<std::pair<std::string, std::string>>& options) {
  const ort::Api& api = ort::api();
  const ort::CudaProviderOptionsHandle cuda(ort::make<ort::CudaProviderOptions>(api.CreateCUDAProviderOptions));
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  ort::check(api.UpdateCUDAProviderOptions(cuda.get(), keys.data(), values.data(), keys.size()));
  ort::check(api.SessionOptionsAppendExecutionProvider_CUDA_V2(session, cuda.get()));
}

}  // namespace

Environment& Environment::open(const std::string& library, int threads) {
  static std::mutex mutex;  // worker_threads may open at the same time
  std::lock_guard<std::mutex> lock(mutex);
  if (opened == nullptr) opened = new Environment(library, threads);
  return *opened;
}

Environment& Environment::get() {
  Environment* environment = opened;
  if (environment == nullptr) throw Error("open() has not been called");
  return *environment;
}

Environment::Environment(const std::string& library, int threads) : library_(library), version_(load_library(library)), threads_(threads) {
  const ort::Api& api = ort::api();
  const ort::ThreadingOptionsHandle threading(ort::make<ort::ThreadingOptions>(api.CreateThreadingOptions));
  ort::check(api.SetGlobalIntraOpNumThreads(threading.get(), threads));
  ort::check(api.SetGlobalInterOpNumThreads(threading.get(), 1));
  // Threads that spin between runs take the processor from the optimizer's passes and from other sessions.
  ort::check(api.SetGlobalSpinControl(threading.get(), 0));
  env_ = ort::make<ort::Env>(api.CreateEnvWithGlobalThreadPools, int{ort::kLogError}, "sesd",
                             static_cast<const ort::ThreadingOptions*>(threading.get()));
  ort::check(api.DisableTelemetryEvents(env_));
  providers_ = available_providers();
  cpu_memory_.reset(ort::make<ort::MemoryInfo>(api.CreateCpuMemoryInfo, int{ort::kArenaAllocator}, int{ort::kDefaultMemory}));
  shared_allocator_ = register_allocator(env_, cpu_memory_.get());
  domain_ = ort::make<ort::CustomOpDomain>(api.CreateCustomOpDomain, "sesd");
  for (const ort::CustomOp* op : custom_ops()) ort::check(api.CustomOpDomain_Add(domain_, op));
}

ort::SessionOptionsHandle Environment::session_options(int threads, const SessionSettings& settings) const {
  const ort::Api& api = ort::api();
  ort::SessionOptionsHandle options(ort::make<ort::SessionOptions>(api.CreateSessionOptions));
  ort::SessionOptions* const o = options.get();
  if (threads == 0) {
    ort::check(api.DisablePerSessionThreads(o));
  } else {
    ort::check(api.SetIntraOpNumThreads(o, threads));
    ort::check(api.AddSessionConfigEntry(o, "session.intra_op.allow_spinning", "0"));
  }
  if (shared_allocator_) ort::check(api.AddSessionConfigEntry(o, "session.use_env_allocators", "1"));
  // A pattern is kept per combination of input shapes: with batches of any length it only costs memory.
  ort::check(api.DisableMemPattern(o));
  // What fails is reported to the caller, with the same words.
  ort::check(api.SetSessionLogSeverityLevel(o, ort::kLogFatal));
  ort::check(api.AddCustomOpDomain(o, domain_));
  if (!settings.profile.empty()) ort::check(api.EnableProfiling(o, native_path(settings.profile).c_str()));
  if (settings.cuda) append_cuda(o, settings.cuda_options);
  if (settings.device_only) ort::check(api.AddSessionConfigEntry(o, "session.disable_cpu_ep_fallback", "1"));
  return options;
}

void Environment::make_session(const SessionSettings& settings, const CreateSession& create) {
  const auto with = [&](int own_threads) { create(env_, session_options(own_threads, settings).get()); };
  if (settings.threads > 0) return with(settings.threads);
  std::unique_lock<std::mutex> lock(mutex_);
  const SharedThreads known = shared_threads_;
  lock.unlock();
  if (known == SharedThreads::kWork) return with(0);
  if (known == SharedThreads::kUnavailable) return with(threads_);
  const auto learn = [&](SharedThreads state) {
    lock.lock();
    shared_threads_ = state;
  };
  try {
    with(0);
    learn(SharedThreads::kWork);
  } catch (const ort::Error&) {
    // Either there are no shared threads, or the model is at fault and this throws again.
    with(threads_);
    learn(SharedThreads::kUnavailable);
  }
}

}  // namespace sesd
