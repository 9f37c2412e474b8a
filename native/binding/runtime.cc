#include "runtime.h"

#include "../kernels/simd.h"
#include "../runtime/environment.h"
#include "../runtime/library.h"
#include "../runtime/training.h"
#include "arguments.h"
#include "errors.h"
#include "promise.h"

namespace sesd::binding {

Napi::Value open_runtime(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] {
    const Napi::Object options = to_object(info[0], "options");
    const std::string library = to_string(options.Get("library"), "library");
    const int threads = to_thread_count(options.Get("threads"), "threads");
    const char* const simd = simd_name();  // may throw, so before anything is loaded
    const Environment& environment = Environment::open(library, threads);
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("library", environment.library());
    result.Set("version", environment.version());
    result.Set("providers", from_strings(info.Env(), environment.providers()));
    result.Set("threads", environment.threads());
    result.Set("training", has_training_api());
    result.Set("simd", simd);
    return result;
  });
}

Napi::Value preload_libraries(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    return queue(info.Env(), [files = to_strings(info[0], "files")] {
      for (const std::string& file : files) preload(file);
    });
  });
}

}  // namespace sesd::binding
