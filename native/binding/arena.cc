#include "arena.h"

#include <cstring>
#include <memory>

#include "../optimizer/passes.h"
#include "../runtime/environment.h"
#include "arguments.h"
#include "promise.h"

namespace sesd::binding {

namespace {

void check_range(size_t offset, size_t length, const Arena& arena) {
  if (offset <= arena.length() && length <= arena.length() - offset) return;
  throw Error("elements " + std::to_string(offset) + " to " + std::to_string(offset + length) + " are not in an arena of " +
              std::to_string(arena.length()));
}

// Hands the elements over without a copy where the engine allows that.
Napi::Float32Array hand_over(Napi::Env env, std::unique_ptr<float[]>& elements, size_t length) {
  const size_t bytes = length * sizeof(float);
  napi_value buffer;
  const auto free_elements = [](napi_env, void* data, void*) { delete[] static_cast<float*>(data); };
  if (napi_create_external_arraybuffer(env, elements.get(), bytes, free_elements, nullptr, &buffer) == napi_ok) {
    elements.release();
    return Napi::Float32Array::New(env, length, Napi::ArrayBuffer(env, buffer), 0);
  }
  auto array = Napi::Float32Array::New(env, length);
  std::memcpy(array.Data(), elements.get(), bytes);
  return array;
}

}  // namespace

void check_lengths(const Arena& a, const char* a_name, const Arena& b, const std::string& b_name) {
  if (a.length() == b.length()) return;
  throw Error(std::string(a_name) + " has " + std::to_string(a.length()) + " elements, " + b_name + " has " + std::to_string(b.length()));
}

void JsArena::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceAccessor<&JsArena::Length>("length"),
                          InstanceMethod<&JsArena::Write>("write"),
                          InstanceMethod<&JsArena::Read>("read"),
                          InstanceMethod<&JsArena::CopyFrom>("copyFrom"),
                          InstanceMethod<&JsArena::Fill>("fill"),
                          InstanceMethod<&JsArena::Release>("release"),
                      });
}

Napi::Value JsArena::make(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const size_t length = to_size(info[0], "length");
    const int threads = Environment::get().threads();
    return queue(
        info.Env(), [=] { return std::make_shared<Arena>(length, threads); },
        [](Napi::Env env, std::shared_ptr<Arena>& arena) { return create(env, arena, arena->bytes()); });
  });
}

Napi::Value JsArena::Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->length()));
}

Napi::Value JsArena::Write(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const size_t offset = to_size(info[0], "offset");
    const Floats source = to_floats(info[1], "source");
    check_range(offset, source.length, *native());
    return queue(info.Env(), [arena = native(), offset, source, alive = Napi::Persistent(info[1].As<Napi::Object>()),
                              threads = Environment::get().threads()] { copy(arena->data() + offset, source.data, source.length, threads); });
  });
}

Napi::Value JsArena::Read(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const size_t offset = to_size(info[0], "offset"), length = to_size(info[1], "length");
    check_range(offset, length, *native());
    return queue(
        info.Env(),
        [arena = native(), offset, length, threads = Environment::get().threads()] {
          // Allocated here and not as a JavaScript array, whose memory the main thread would fill with zeros first.
          std::unique_ptr<float[]> elements(new float[length]);
          copy(elements.get(), arena->data() + offset, length, threads);
          return elements;
        },
        [length](Napi::Env env, std::unique_ptr<float[]>& elements) -> Napi::Value { return hand_over(env, elements, length); });
  });
}

Napi::Value JsArena::CopyFrom(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto source = get(info[0], "source");
    check_lengths(*native(), "the arena", *source, "source");
    return queue(info.Env(), [arena = native(), source, threads = Environment::get().threads()] {
      if (arena != source) copy(arena->data(), source->data(), arena->length(), threads);
    });
  });
}

Napi::Value JsArena::Fill(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const double value = to_number(info[0], "value");
    return queue(info.Env(), [arena = native(), value, threads = Environment::get().threads()] { fill(*arena, static_cast<float>(value), threads); });
  });
}

}  // namespace sesd::binding
