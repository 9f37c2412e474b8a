#include "arena.h"

#include <cstring>
#include <memory>

#include "../optimizer/passes.h"
#include "../runtime/environment.h"
#include "../runtime/parallel.h"
#include "arguments.h"
#include "promise.h"

namespace sesd::binding {

namespace {

void check_range(size_t offset, size_t length, size_t available) {
  if (offset <= available && length <= available - offset) return;
  throw Error("elements " + std::to_string(offset) + " to " + std::to_string(offset + length) + " are not in an arena of " +
              std::to_string(available));
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

// Giving a model's worth of memory back to the system takes a tenth of a second, which the JavaScript thread does not have.
template <class Native>
void free_elsewhere(Napi::Env env, std::shared_ptr<Native> arena) {
  if (!arena) return;
  try {
    queue(env, [last = std::move(arena)]() mutable { last.reset(); });
  } catch (const Error&) {
    // The process is ending and takes no more work.
  }
}

// Copies elements out of an arena on a worker thread. They are allocated there and not as a JavaScript array, whose memory the main
// thread would fill with zeros first.
template <class Native, class Copy>
Napi::Value read_elements(const Napi::CallbackInfo& info, const std::shared_ptr<Native>& arena, Copy copy_elements) {
  const size_t offset = to_size(info[0], "offset"), length = to_size(info[1], "length");
  check_range(offset, length, arena->length());
  return queue(
      info.Env(),
      [=, threads = Environment::get().threads()] {
        std::unique_ptr<float[]> elements(new float[length]);
        copy_elements(elements.get(), arena->data() + offset, length, threads);
        return elements;
      },
      [length](Napi::Env env, std::unique_ptr<float[]>& elements) -> Napi::Value { return hand_over(env, elements, length); });
}

// Copies the elements of a Float32Array into an arena on a worker thread.
template <class Native, class Copy>
Napi::Value write_elements(const Napi::CallbackInfo& info, const std::shared_ptr<Native>& arena, Copy copy_elements) {
  const size_t offset = to_size(info[0], "offset");
  const Floats source = to_floats(info[1], "source");
  check_range(offset, source.length, arena->length());
  return queue(info.Env(), [=, alive = Napi::Persistent(info[1].As<Napi::Object>()), threads = Environment::get().threads()] {
    copy_elements(arena->data() + offset, source.data, source.length, threads);
  });
}

}  // namespace

void check_lengths(size_t a, const std::string& a_name, size_t b, const std::string& b_name) {
  if (a == b) return;
  throw Error(a_name + " has " + std::to_string(a) + " elements, " + b_name + " has " + std::to_string(b));
}

AnyArena to_any_arena(const Napi::Value& value, const std::string& name) {
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&JsBf16Arena::kTag)) return JsBf16Arena::get(value, name);
  return JsArena::get(value, name);
}

void JsArena::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceAccessor<&JsArena::Length>("length"),
                          InstanceMethod<&JsArena::Write>("write"),
                          InstanceMethod<&JsArena::WriteBytes>("writeBytes"),
                          InstanceMethod<&JsArena::Read>("read"),
                          InstanceMethod<&JsArena::CopyFrom>("copyFrom"),
                          InstanceMethod<&JsArena::Fill>("fill"),
                          InstanceMethod<&JsArena::Release>("release"),
                      });
}

Napi::Value JsArena::make(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const size_t length = to_size(info[0], "length");
    if (!info[1].IsUndefined()) {
      const std::string folder = to_string(info[1], "folder");
      // The system may take this memory back, so the garbage collector need not know of it.
      return queue(
          info.Env(), [=] { return std::make_shared<Arena>(length, folder); },
          [](Napi::Env env, std::shared_ptr<Arena>& arena) { return create(env, arena); });
    }
    return queue(
        info.Env(), [=] { return std::make_shared<Arena>(length); },
        [](Napi::Env env, std::shared_ptr<Arena>& arena) { return create(env, arena, arena->bytes()); });
  });
}

Napi::Value JsArena::Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->length()));
}

Napi::Value JsArena::Write(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] { return write_elements(info, native(), copy); });
}

Napi::Value JsArena::WriteBytes(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] {
    const size_t offset = to_size(info[0], "offset");
    const Bytes source = to_bytes(info[1], "source");
    if (source.size % sizeof(float) != 0) throw Error("source has " + std::to_string(source.size) + " bytes, which are no whole float32 elements");
    const size_t length = source.size / sizeof(float);
    check_range(offset, length, native()->length());
    return queue(info.Env(), [=, arena = native(), alive = Napi::Persistent(info[1].As<Napi::Object>()), threads = Environment::get().threads()] {
      char* const to = reinterpret_cast<char*>(arena->data() + offset);
      const char* const from = static_cast<const char*>(source.data);
      parallel_ranges(length, threads, [&](size_t first, size_t last) {
        std::memcpy(to + first * sizeof(float), from + first * sizeof(float), (last - first) * sizeof(float));
      });
    });
  });
}

Napi::Value JsArena::Read(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] { return read_elements(info, native(), copy); });
}

Napi::Value JsArena::CopyFrom(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const auto source = get(info[0], "source");
    check_lengths(native()->length(), "the arena", source->length(), "source");
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

void JsArena::Release(const Napi::CallbackInfo& info) { free_elsewhere(info.Env(), drop(info.Env())); }

void JsBf16Arena::define(Napi::Env env) {
  Handle::define(env, {
                          InstanceAccessor<&JsBf16Arena::Length>("length"),
                          InstanceMethod<&JsBf16Arena::Write>("write"),
                          InstanceMethod<&JsBf16Arena::Read>("read"),
                          InstanceMethod<&JsBf16Arena::Release>("release"),
                      });
}

Napi::Value JsBf16Arena::make(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&]() -> Napi::Value {
    const size_t length = to_size(info[0], "length");
    return queue(
        info.Env(), [=] { return std::make_shared<Bf16Arena>(length); },
        [](Napi::Env env, std::shared_ptr<Bf16Arena>& arena) { return create(env, arena, arena->bytes()); });
  });
}

Napi::Value JsBf16Arena::Length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), released() ? 0 : static_cast<double>(native()->length()));
}

Napi::Value JsBf16Arena::Write(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] { return write_elements(info, native(), to_bf16); });
}

Napi::Value JsBf16Arena::Read(const Napi::CallbackInfo& info) {
  return rejecting(info.Env(), [&] { return read_elements(info, native(), from_bf16); });
}

void JsBf16Arena::Release(const Napi::CallbackInfo& info) { free_elsewhere(info.Env(), drop(info.Env())); }

}  // namespace sesd::binding
