// Work on a worker thread, settled as a promise.
#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "errors.h"
#include "instance.h"

namespace sesd::binding {

struct Nothing {};

// `work()` runs on a worker thread and touches no JavaScript value: what it needs it captured as plain C++.
// `conclude(env, result)` runs on the JavaScript thread and makes the promise's value. Both are destroyed there too, so
// they may hold references to JavaScript objects that must stay alive.
template <class Work, class Conclude>
class PromiseJob final : public Job {
 public:
  PromiseJob(Napi::Env env, Work work, Conclude conclude)
      : Job(Instance::of(env)), deferred_(env), work_(std::move(work)), conclude_(std::move(conclude)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void settle(Napi::Env env) override {
    try {
      if (error_) std::rethrow_exception(error_);
      deferred_.Resolve(conclude_(env, *result_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(to_js(env, std::current_exception()).Value());
    }
  }

 protected:
  void work() noexcept override {
    try {
      if constexpr (std::is_void_v<Returned>) {
        work_();
        result_.emplace();
      } else {
        result_.emplace(work_());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

 private:
  using Returned = std::invoke_result_t<Work&>;
  using Result = std::conditional_t<std::is_void_v<Returned>, Nothing, Returned>;

  Napi::Promise::Deferred deferred_;
  Work work_;
  Conclude conclude_;
  std::optional<Result> result_;
  std::exception_ptr error_;
};

template <class Work, class Conclude>
Napi::Promise queue(Napi::Env env, Work work, Conclude conclude) {
  auto job = std::make_unique<PromiseJob<Work, Conclude>>(env, std::move(work), std::move(conclude));
  const Napi::Promise promise = job->promise();
  Instance::of(env).start(env, std::move(job));
  return promise;
}

// For work that yields nothing.
template <class Work>
Napi::Promise queue(Napi::Env env, Work work) {
  return queue(env, std::move(work), [](Napi::Env e, Nothing&) { return e.Undefined(); });
}

}  // namespace sesd::binding
