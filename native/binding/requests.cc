#include "requests.h"

#include "arena.h"
#include "arguments.h"
#include "session.h"

namespace sesd::binding {

namespace {

Block to_block(const Napi::Value& value, const std::string& name) {
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&JsTensor::kTag)) return *JsTensor::get(value, name);
  return block_of(JsArena::get(value, name));
}

}  // namespace

std::vector<Slice> to_slices(const Napi::Value& value, const std::string& name) {
  const Napi::Array array = to_array(value, name);
  std::vector<Slice> slices;
  slices.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::HandleScope scope(array.Env());
    const std::string at = name + "[" + std::to_string(i) + "]";
    const Napi::Object slice = to_object(array.Get(i), at);
    slices.push_back({to_string(slice.Get("name"), at + ".name"), to_block(slice.Get("arena"), at + ".arena"),
                      to_size(slice.Get("offset"), at + ".offset"), to_dims(slice.Get("dims"), at + ".dims")});
  }
  return slices;
}

SessionSettings to_settings(const Napi::Value& value) {
  const Napi::Object options = to_object(value, "options");
  SessionSettings settings;
  if (const Napi::Value given = options.Get("threads"); !given.IsUndefined()) settings.threads = to_thread_count(given, "threads");
  if (const Napi::Value given = options.Get("profile"); !given.IsUndefined()) settings.profile = to_string(given, "profile");
  if (const Napi::Value given = options.Get("cuda"); !given.IsUndefined()) {
    const Napi::Object cuda = to_object(given, "cuda");
    settings.cuda = true;
    for (const std::string& key : to_strings(cuda.GetPropertyNames(), "cuda")) {
      settings.cuda_options.emplace_back(key, to_string(cuda.Get(key), "cuda." + key));
    }
  }
  if (const Napi::Value given = options.Get("deviceOnly"); !given.IsUndefined()) settings.device_only = given.ToBoolean();
  return settings;
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

}  // namespace sesd::binding
