// The one ONNX Runtime environment of the process: its threads, its memory, our custom ops.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ort.h"

namespace sesd {

struct SessionSettings {
  int threads = 0;      // 0: the environment's
  std::string profile;  // path prefix of a profile to record, or empty
  // Computes with the CUDA provider, which has these options.
  bool cuda = false;
  std::vector<std::pair<std::string, std::string>> cuda_options;
  // Refuses a graph of which any node would run on the CPU.
  bool device_only = false;
};

class Environment {
 public:
  // Loads the library and makes the environment; later calls return what the first one made. Thread-safe.
  static Environment& open(const std::string& library, int threads);
  // The open environment. Throws when there is none.
  static Environment& get();

  const std::string& library() const { return library_; }
  const std::string& version() const { return version_; }
  const std::vector<std::string>& providers() const { return providers_; }
  int threads() const { return threads_; }
  // Describes tensors in ordinary memory.
  const ort::MemoryInfo* cpu_memory() const { return cpu_memory_.get(); }

  // Makes a session: calls create(environment, options), again with threads of the session's own when that throws and the
  // shared ones may be why.
  using CreateSession = std::function<void(const ort::Env*, const ort::SessionOptions*)>;
  void make_session(const SessionSettings& settings, const CreateSession& create);

 private:
  Environment(const std::string& library, int threads);

  ort::SessionOptionsHandle session_options(int threads, const SessionSettings& settings) const;

  // Whether sessions can use the environment's threads. They cannot when another addon (onnxruntime-node)
  // made the process's environment before us, without threads; only creating a session tells.
  enum class SharedThreads { kUntried, kWork, kUnavailable };

  std::string library_, version_;
  std::vector<std::string> providers_;
  int threads_;
  ort::Env* env_ = nullptr;
  ort::CustomOpDomain* domain_ = nullptr;
  ort::MemoryInfoHandle cpu_memory_;
  bool shared_allocator_ = false;
  std::mutex mutex_;  // guards shared_threads_
  SharedThreads shared_threads_ = SharedThreads::kUntried;
};

}  // namespace sesd
