#include "session.h"

#include "arena.h"
#include "arguments.h"
#include "promise.h"

namespace sesd::binding {

namespace {

std::vector<std::string> names_of(const std::vector<Signature>& signatures) {
  std::vector<std::string> names;
  for (const Signature& signature : signatures) names.push_back(signature.name);
  return names;
}

std::vector<Slice> to_slices(const Napi::Value& value, const std::string& name) {
  const Napi::Array array = to_array(value, name);
  std::vector<Slice> slices;
  slices.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(array.Env());
    const std::string at = name + "[" + std::to_string(i) + "]";
    const Napi::Object slice = to_object(array.Get(i), at);
    slices.push_back({to_string(slice.Get("name"), at + ".name"), JsArena::get(slice.Get("arena"), at + ".arena"),
                      to_size(slice.Get("offset"), at + ".offset"), to_dims(slice.Get("dims"), at + ".dims")});
  }
  return slices;
}

RunRequest to_request(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "request");
  RunRequest request;
  const Napi::Object feeds = to_object(object.Get("feeds"), "feeds");
  for (const std::string& name : to_strings(feeds.GetPropertyNames(), "feeds")) {
    request.feeds.push_back({name, to_tensor(feeds.Get(name), "feed '" + name + "'")});
  }
  if (const Napi::Value stash = object.Get("stash"); !stash.IsUndefined()) request.stash = JsStash::get(stash, "stash");
  request.fetch = to_strings(object.Get("fetch"), "fetch");
  if (const Napi::Value keep = object.Get("keep"); !keep.IsUndefined()) request.keep = to_strings(keep, "keep");
  return request;
}

Napi::Object from_result(Napi::Env env, RunResult& result) {
  Napi::Object fetched = Napi::Object::New(env);
  for (const NamedValue& named : result.fetched) fetched.Set(named.name, from_value(env, named.value.get(), named.name));
  Napi::Object object = Napi::Object::New(env);
  object.Set("fetched", fetched);
  if (result.stash) object.Set("stash", JsStash::create(env, result.stash, result.stash->bytes));
  return object;
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
    const Napi::Object options = to_object(info[1], "options");
    int threads = 0;
    std::string profile;
    if (const Napi::Value given = options.Get("threads"); !given.IsUndefined()) threads = to_thread_count(given, "threads");
    if (const Napi::Value given = options.Get("profile"); !given.IsUndefined()) profile = to_string(given, "profile");
    return queue(
        info.Env(),
        [=, alive = Napi::Persistent(info[0].As<Napi::Object>())] { return std::make_shared<Session>(model.data, model.size, threads, profile); },
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
    return JsBinding::create(info.Env(), std::make_shared<IoBinding>(native(), std::move(inputs), std::move(outputs)));
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
  Handle::define(env, {InstanceAccessor<&JsStash::ByteCount>("bytes"), InstanceMethod<&JsStash::Release>("release")});
}

Napi::Value JsStash::ByteCount(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->bytes));
}

}  // namespace sesd::binding
