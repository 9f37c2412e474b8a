#include "session.h"

#include "arena.h"
#include "arguments.h"
#include "promise.h"
#include "requests.h"

namespace sesd::binding {

namespace {

std::vector<std::string> names_of(const std::vector<Signature>& signatures) {
  std::vector<std::string> names;
  for (const Signature& signature : signatures) names.push_back(signature.name);
  return names;
}

}  // namespace

void JsSession::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceAccessor<&JsSession::Inputs>("inputs"),
                          InstanceAccessor<&JsSession::Outputs>("outputs"),
                          InstanceMethod<&JsSession::Bind>("bind"),
                          InstanceMethod<&JsSession::EndProfiling>("endProfiling"),
                          InstanceMethod<&JsSession::Release>("release"),
                      });
}

Napi::Value JsSession::make(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const Bytes model = to_bytes(info[0], "model");
    const SessionSettings settings = to_settings(info[1]);
    return queue(
        info.Env(),
        [=, alive = Napi::Persistent(info[0].As<Napi::Object>())] { return std::make_shared<Session>(model.data, model.size, settings); },
        [](Napi::Env env, std::shared_ptr<Session>& session) { return create(env, session); });
  });
}

Napi::Value JsSession::Inputs(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] { return from_strings(info.Env(), names_of(native()->inputs())); });
}

Napi::Value JsSession::Outputs(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] { return from_strings(info.Env(), names_of(native()->outputs())); });
}

Napi::Value JsSession::Bind(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] {
    const Napi::Object slices = to_object(info[0], "slices");
    std::vector<Slice> inputs = to_slices(slices.Get("inputs"), "inputs"), outputs;
    if (const Napi::Value given = slices.Get("outputs"); !given.IsUndefined()) outputs = to_slices(given, "outputs");
    const bool in_place = slices.Get("inPlace").ToBoolean();
    return JsBinding::create(info.Env(), std::make_shared<IoBinding>(native(), std::move(inputs), std::move(outputs), in_place));
  });
}

Napi::Value JsSession::EndProfiling(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] { return Napi::String::New(info.Env(), native()->end_profiling()); });
}

void JsBinding::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceMethod<&JsBinding::RunOnce>("run"),
                          InstanceMethod<&JsBinding::Cancel>("cancel"),
                          InstanceMethod<&JsBinding::Release>("release"),
                      });
}

Napi::Value JsBinding::RunOnce(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto& binding = native();
    // The worker owns the run and goes when it is done.
    if (!run_.expired()) throw Error("a run of this binding is under way");
    const auto run = std::make_shared<Run>(binding, to_request(info[0]));
    run_ = run;
    Instance::of(info.Env()).cancel_at_end(run);
    return queue(info.Env(), [run] { return run->execute(); }, from_result);
  });
}

void JsBinding::Cancel(const Napi::CallbackInfo&) {
  if (const auto run = run_.lock()) run->cancel();
}

void JsStash::define(Napi::Env env) {
  Handle::define(env, {InstanceAccessor<&JsStash::ByteCount>("bytes"), InstanceMethod<&JsStash::Tensor>("tensor"),
                       InstanceMethod<&JsStash::Release>("release")});
}

Napi::Value JsStash::ByteCount(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->bytes));
}

Napi::Value JsStash::Tensor(const Napi::CallbackInfo& info) {
  return throwing(info.Env(), [&] {
    const std::string name = to_string(info[0], "name");
    for (const NamedValue& named : native()->values) {
      if (named.name == name) return JsTensor::create(info.Env(), std::make_shared<Block>(block_of(named.value, native()->session)));
    }
    throw Error("the stash has no value '" + name + "'");
  });
}

void JsTensor::define(Napi::Env env) {
  Handle::define(env, {InstanceAccessor<&JsTensor::Length>("length"), InstanceMethod<&JsTensor::Release>("release")});
}

Napi::Value JsTensor::Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->length));
}

}  // namespace sesd::binding
