// Work on a worker thread, settled as a promise.
#pragma once

#include <napi.h>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "errors.h"

namespace sesd::binding {

struct Nothing {};

// `work()` runs on a worker thread and touches no JavaScript value: what it needs it captured as plain C++.
// `settle(env, result)` runs on the JavaScript thread and makes the promise's value. Both are destroyed on
// the JavaScript thread, so they may hold references to JavaScript objects that must stay alive.
template <class Work, class Settle>
class PromiseWorker final : public Napi::AsyncWorker {
 public:
  PromiseWorker(Napi::Env env, Work work, Settle settle)
      : AsyncWorker(env, "sesd"), deferred_(env), work_(std::move(work)), settle_(std::move(settle)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Work&>>) {
        work_();
        result_.emplace();
      } else {
        result_.emplace(work_());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    try {
      if (error_) std::rethrow_exception(error_);
      deferred_.Resolve(settle_(env, *result_));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(to_js(env, std::current_exception()).Value());
    }
  }

 private:
  using Returned = std::invoke_result_t<Work&>;
  using Result = std::conditional_t<std::is_void_v<Returned>, Nothing, Returned>;

  Napi::Promise::Deferred deferred_;
  Work work_;
  Settle settle_;
  std::optional<Result> result_;
  std::exception_ptr error_;
};

template <class Work, class Settle>
Napi::Promise queue(Napi::Env env, Work work, Settle settle) {
  auto* worker = new PromiseWorker<Work, Settle>(env, std::move(work), std::move(settle));
  const Napi::Promise promise = worker->promise();
  worker->Queue();  // deletes itself once settled
  return promise;
}

// For work that yields nothing.
template <class Work>
Napi::Promise queue(Napi::Env env, Work work) {
  return queue(env, std::move(work), [](Napi::Env e, Nothing&) { return e.Undefined(); });
}

}  // namespace sesd::binding
