// C++ exceptions as JavaScript errors.
#pragma once

#include <napi.h>

#include <exception>
#include <utility>

namespace sesd::binding {

// An Error whose `code` is SESD_ABORTED or SESD_RUNTIME and whose message is the exception's.
Napi::Error to_js(Napi::Env env, std::exception_ptr error);

// Runs a synchronous entry point: what it throws reaches JavaScript as to_js() has it.
template <class F>
auto throwing(Napi::Env env, const F& f) -> decltype(f()) {
  try {
    return f();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_js(env, std::current_exception());
  }
}

// Runs an entry point that returns a promise: what it throws before the work is queued rejects it.
template <class F>
Napi::Value rejecting(Napi::Env env, const F& f) {
  const auto rejected = [&](Napi::Value reason) -> Napi::Value {
    const auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Reject(reason);
    return deferred.Promise();
  };
  try {
    return f();
  } catch (const Napi::Error& error) {
    return rejected(error.Value());
  } catch (...) {
    return rejected(to_js(env, std::current_exception()).Value());
  }
}

}  // namespace sesd::binding
