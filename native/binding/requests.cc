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
